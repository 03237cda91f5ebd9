import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { devNull } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { childEnvironment } from '../../config/child-environment.ts';
import { EmbeddedTemporalError } from './embedded-temporal-error.ts';
import { identifyProcess, isAlive, isProbablyAlive, type ProcessIdentity } from './process-identity.ts';
import { runCommand } from '../temporal-cli/run-command.ts';
import { statePaths, type ServerPorts } from './state-files.ts';

const MAX_LOG_BYTES = 5 * 1024 * 1024;

/** Servers that this process started: their end is heard at once, and they must be waited for. */
const children = new Map<number, ChildProcess>();

async function serverArgs(cliPath: string, database: string, { port, uiPort }: ServerPorts): Promise<string[]> {
  const args = ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)];
  args.push('--db-filename', database, '--log-level', 'error');
  // Three times the activities a second, and a killed process still loses nothing.
  args.push('--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal');
  // A second server on the same database, such as one in another container, ends at once instead of spoiling it.
  args.push('--sqlite-pragma', 'locking_mode=exclusive');
  // The server asks its vendor for newer versions otherwise.
  args.push('--dynamic-config-value', 'frontend.enableServerVersionCheck=false');
  // Its HTTP API would start workflows for any web page: it checks neither keys nor where a request comes from.
  args.push('--dynamic-config-value', 'frontend.httpAllowedHosts=[]');
  args.push('--dynamic-config-value', 'matching.enableFairness=true');
  // Each partition of a queue is fair by itself; only one keeps the order exact, and one is enough for a machine.
  args.push('--dynamic-config-value', 'matching.numTaskqueueWritePartitions=1');
  const { stdout } = await runCommand(cliPath, ['server', 'start-dev', '--help'], { timeoutMs: 10_000 });
  // Younger than the oldest version that serves.
  if (stdout.includes('--ui-disable-news-fetch')) args.push('--ui-disable-news-fetch');
  return args;
}

/** The log's end in bytes; a log that has grown long starts anew. */
async function prepareLog(path: string): Promise<number> {
  const sizeBytes = await stat(path).then(
    (stats) => stats.size,
    () => 0,
  );
  if (sizeBytes <= MAX_LOG_BYTES) return sizeBytes;
  await (await open(path, 'w')).close();
  return 0;
}

/** Files that the child makes are only for this user: SQLite itself leaves that to the umask. */
function privately<T>(start: () => T): T {
  const before = process.umask(0o077);
  try {
    return start();
  } finally {
    process.umask(before);
  }
}

const CLOSE_ON_EXEC = 0o2000000;
/** Shells use far lower ones. */
const MAX_DESCRIPTOR = 1023;

/** Descriptors that a shell gave this process, such as the pipe of `<(command)`: children inherit them. Linux only. */
function inheritedDescriptors(): number[] {
  try {
    return readdirSync('/proc/self/fdinfo')
      .filter(isInherited)
      .map(Number)
      .filter((fd) => fd > 2 && fd <= MAX_DESCRIPTOR);
  } catch {
    return [];
  }
}

function isInherited(fd: string): boolean {
  try {
    const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
    return flags !== undefined && (parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    // It was that of the listing.
    return false;
  }
}

export interface SpawnedServer extends ProcessIdentity {
  /** Where in the log this server's lines begin. */
  readonly logOffsetBytes: number;
}

/**
 * Starts the server in a session of its own, so that neither Ctrl-C in the terminal nor the end of this process ends it.
 * @throws EmbeddedTemporalError when it can't be started
 */
export async function spawnServer(cliPath: string, stateDir: string, ports: ServerPorts): Promise<SpawnedServer> {
  const paths = statePaths(stateDir);
  const args = await serverArgs(cliPath, paths.database, ports);
  const logOffsetBytes = await prepareLog(paths.log);
  const log = await open(paths.log, 'a', 0o600);
  const nothing = await open(devNull, 'r');
  try {
    // The server lives on: with a pipe of this command, the program that writes into it would not end after a kill.
    const inherited = inheritedDescriptors();
    const others = Array.from({ length: Math.max(2, ...inherited) - 2 }, (_, index) =>
      inherited.includes(index + 3) ? nothing.fd : ('ignore' as const),
    );
    const stdio = ['ignore' as const, log.fd, log.fd, ...others];
    const child = privately(() =>
      spawn(cliPath, args, { detached: true, cwd: stateDir, env: childEnvironment(), stdio }),
    );
    await once(child, 'spawn');
    const { pid } = child;
    if (pid === undefined) throw new Error('it has no process id');
    child.unref();
    children.set(pid, child);
    child.once('exit', () => children.delete(pid));
    // One that ended within the moment since is reported by whoever waits for it to answer.
    return { ...(identifyProcess(pid) ?? { pid, startTime: 'ended' }), logOffsetBytes };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EmbeddedTemporalError(`Temporal could not be started from ${cliPath}: ${reason}`, { cause: error });
  } finally {
    await Promise.all([log.close(), nothing.close()]);
  }
}

/** Calls `listener` once when the server ends, if this process started it. Returns how to stop listening. */
export function onChildExit(pid: number, listener: () => void): () => void {
  const child = children.get(pid);
  child?.once('exit', listener);
  return () => child?.off('exit', listener);
}

/** The end of what a server wrote: its last 16 KiB. */
export async function logTail(path: string, fromBytes: number): Promise<string> {
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return '';
  try {
    const { size } = await file.stat();
    const start = Math.max(fromBytes, size - 16 * 1024);
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(Math.max(1, size - start)), position: start });
    return buffer.toString('utf8', 0, bytesRead).trimEnd();
  } finally {
    await file.close();
  }
}

async function waitForEnd(server: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (isProbablyAlive(server) || children.has(server.pid)) {
    if (Date.now() > deadline) return false;
    await delay(25);
  }
  return true;
}

function signalServer(server: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(server)) return;
  try {
    process.kill(server.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * Ends the server and returns when it is gone. Does nothing for a dead one. At SIGTERM it would wait a second for polls of
 * its own; a killed one loses nothing, since what it has answered is in SQLite's log, which outlives the process (and, by
 * `syncDatabase`, the machine).
 *
 * @throws EmbeddedTemporalError when it doesn't end
 */
export async function stopServer(server: ProcessIdentity): Promise<void> {
  signalServer(server, 'SIGKILL');
  if (await waitForEnd(server, 5_000)) return;
  throw new EmbeddedTemporalError(`The Temporal server, process ${server.pid}, does not end. End it by hand.`);
}
