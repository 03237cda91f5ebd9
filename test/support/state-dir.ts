import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findServerProcess } from '../../src/dev/server/find-server-process.ts';
import { statePaths } from '../../src/dev/server/state-files.ts';
import { stopServer } from '../../src/dev/server/temporal-process.ts';

/** Runs `body` with a state directory of its own (with a space in its path), and fails when a server outlives it. */
export async function withStateDir<T>(body: (stateDir: string) => Promise<T>): Promise<T> {
  const stateDir = await realpath(await mkdtemp(join(tmpdir(), 'longhaul state ')));
  let leaked = null;
  try {
    return await body(stateDir);
  } finally {
    leaked = await findServerProcess(statePaths(stateDir).database);
    if (leaked !== null) await stopServer(leaked);
    await rm(stateDir, { recursive: true, force: true });
    // Thrown on purpose over an error of the body: the leak is what has to be seen.
    // eslint-disable-next-line no-unsafe-finally
    if (leaked !== null) throw new Error(`Temporal server ${leaked.pid} was left running in ${stateDir}`);
  }
}
