import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { TemporalProcess } from '../../../src/dev/server/temporal-process.ts';
import { withTempDir } from '../../support/temp-dir.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Returns the lines that a script prints, which runs in place of Temporal. */
async function linesOf(stateDir: string, script: string): Promise<string[]> {
  const path = join(stateDir, 'temporal');
  await writeFile(path, `#!/bin/sh\n${script} > lines\n`);
  await chmod(path, 0o755);
  await new TemporalProcess({ path, version: '1.9.1' }, stateDir, { port: 1, uiPort: 2 }).exited;
  return (await readFile(join(stateDir, 'lines'), 'utf8')).split('\n');
}

it.each<[string, string | undefined, string | undefined]>([
  ['that the environment names', '/home/u', 'u'],
  ['without a name and a home directory', undefined, undefined],
  ['with an empty home directory', '', ''],
])('Temporal gets a name and a home directory for a user %s', (_name, home, user) =>
  withTempDir(async (stateDir) => {
    vi.stubEnv('HOME', home);
    vi.stubEnv('USER', user);
    const lines = await linesOf(stateDir, 'env');
    expect(lines).toEqual(expect.arrayContaining([`HOME=${home || stateDir}`, `USER=${user || 'longhaul'}`]));
  }),
);

it('Temporal reads new tasks of its only shard without a delay', () =>
  withTempDir(async (stateDir) => {
    const lines = await linesOf(stateDir, String.raw`printf '%s\n' "$@"`);
    for (const queue of ['transfer', 'visibility']) {
      const option = lines.indexOf(`history.${queue}ProcessorMaxPollRPS=1000`) - 1;
      expect(lines[option], queue).toBe('--dynamic-config-value');
    }
  }));
