import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { TemporalProcess } from '../../../src/dev/server/temporal-process.ts';
import { withTempDir } from '../../support/temp-dir.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

it.each<[string, string | undefined, string | undefined]>([
  ['that the environment names', '/home/u', 'u'],
  ['without a name and a home directory', undefined, undefined],
  ['with an empty home directory', '', ''],
])('Temporal gets a name and a home directory for a user %s', (_name, home, user) =>
  withTempDir(async (stateDir) => {
    vi.stubEnv('HOME', home);
    vi.stubEnv('USER', user);
    const path = join(stateDir, 'temporal');
    await writeFile(path, `#!/bin/sh\nenv > environment\n`);
    await chmod(path, 0o755);
    await new TemporalProcess({ path, version: '1.9.1' }, stateDir, { port: 1, uiPort: 2 }).exited;
    const lines = (await readFile(join(stateDir, 'environment'), 'utf8')).split('\n');
    expect(lines).toEqual(expect.arrayContaining([`HOME=${home || stateDir}`, `USER=${user || 'longhaul'}`]));
  }),
);
