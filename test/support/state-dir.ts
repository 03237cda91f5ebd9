import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTemporals } from '../../src/dev/server/system.ts';
import { until } from './until.ts';

/** Runs `body` with a separate state directory (with a space in its path), and fails if a server outlives it. */
export async function withStateDir<T>(body: (stateDir: string) => Promise<T>): Promise<T> {
  const stateDir = await realpath(await mkdtemp(join(tmpdir(), 'longhaul state ')));
  let failure: unknown;
  try {
    return await body(stateDir);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    const left = await stopServers(stateDir);
    // The last thread of a killed process can still create a file. An error here would hide the one of the body.
    await rm(stateDir, { recursive: true, force: true, maxRetries: 5 });
    const message = `${left.join(' and ')} left running in ${stateDir}`;
    // Thrown on purpose over an error of the body: the leak must be seen.
    // eslint-disable-next-line no-unsafe-finally
    if (left.length > 0) throw new Error(message, { cause: failure });
  }
}

/** Returns the process ID of Temporal on the database of a state directory. */
export function findTemporal(stateDir: string): number | undefined {
  return findTemporals(stateDir)[0]?.pid;
}

/**
 * Waits until no server of a state directory is left, because a server stops shortly after its last command was killed.
 *
 * @returns the processes that did not exit, and were killed
 */
export async function stopServers(stateDir: string): Promise<string[]> {
  const left = () => {
    const temporal = findTemporal(stateDir);
    const servers = serverProcesses(stateDir).map((pid) => ({ kind: 'server process', pid }));
    return temporal === undefined ? servers : [...servers, { kind: 'Temporal', pid: temporal }];
  };
  try {
    await until(() => left().length === 0, 'no server to be left', 10_000);
    return [];
  } catch {
    const processes = left();
    for (const { pid } of processes) process.kill(pid, 'SIGKILL');
    await until(() => left().length === 0, 'the servers to exit');
    return processes.map(({ kind, pid }) => `${kind} ${pid}`);
  }
}

/** Returns the process IDs of the server processes of a state directory. Linux only. */
export function serverProcesses(stateDir: string): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && commandLine(name).includes(`/server.js\0${stateDir}\0`))
    .map(Number);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
