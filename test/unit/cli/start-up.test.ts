import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WORKER_COMMANDS } from '../../../src/build/temporal-client.ts';

const COMMANDS = 'src/cli/commands';
const STARTS_WORKER = /\b(startWorker|queueServer|runJobs)\(/;
const STATIC_IMPORT = /^(?:import|export) (?!type )[^;]*?from '([^']+)'/gm;

describe('a command', () => {
  it('uses the installed SDK if it can start a worker', () => {
    const files = readdirSync(COMMANDS, { recursive: true, encoding: 'utf8' });
    const starting = files.filter((file) => file.endsWith('.ts') && STARTS_WORKER.test(text(join(COMMANDS, file))));
    const families = new Set(starting.map((file) => file.split(/[/.]/)[0]));
    expect(families).toContain('steer');
    const verbs = [...text(join(COMMANDS, 'steer/command.ts')).matchAll(/add\('([a-z]+)'/g)].map(([, verb]) => verb);
    expect(verbs).toContain('cancel');
    const names = [...families].flatMap((family) => (family === 'steer' ? verbs : [family]));
    expect(names.filter((name) => !WORKER_COMMANDS.includes(name ?? ''))).toEqual([]);
  });

  it.each(['upload', 'sync'])('starts the embedded server before it loads the SDK and undici: %s', (name) => {
    const packages = packagesOf([
      'src/cli/main.ts',
      'src/cli/run.ts',
      'src/config/config.ts',
      join(COMMANDS, name, 'run.ts'),
    ]);
    expect(packages).toContain('zod');
    // This package contains no messages and no client.
    expect([...packages].filter((one) => /^@temporalio\/(?!envconfig$)|^undici$/.test(one))).toEqual([]);
  });
});

/** Packages that files import when they are loaded, directly or not. */
function packagesOf(files: readonly string[]): ReadonlySet<string> {
  const loaded = new Set(files);
  const packages = new Set<string>();
  for (const file of loaded) {
    for (const [, name = ''] of text(file).matchAll(STATIC_IMPORT)) {
      if (name.startsWith('.')) loaded.add(join(dirname(file), name));
      else packages.add(name);
    }
  }
  return packages;
}

function text(file: string): string {
  return readFileSync(file, 'utf8');
}
