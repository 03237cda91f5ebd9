import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WORKER_COMMANDS } from '../../../src/bundled-temporal-client.ts';

const COMMANDS = 'src/cli/commands';
const STARTS_WORKER = /\b(startWorker|queueServer|runJobs)\(/;

describe('the bundle of the command', () => {
  it('uses the installed SDK for each command that can start a worker', () => {
    const files = readdirSync(COMMANDS, { recursive: true, encoding: 'utf8' });
    const starting = files.filter((file) => file.endsWith('.ts') && STARTS_WORKER.test(text(file)));
    const families = new Set(starting.map((file) => file.split(/[/.]/)[0]));
    expect(families).toContain('steer');
    const steering = [...text('steer/program.ts').matchAll(/add\('([a-z]+)'/g)].map(([, name]) => name);
    expect(steering).toContain('cancel');
    const names = [...families].flatMap((family) => (family === 'steer' ? steering : [family]));
    expect(names.filter((name) => !WORKER_COMMANDS.includes(name ?? ''))).toEqual([]);
  });
});

function text(file: string): string {
  return readFileSync(join(COMMANDS, file), 'utf8');
}
