import { execFileSync, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { childEnvironment } from '../../config/child-environment.ts';
import { attempt } from '../../core/objects.ts';
import { formatBytes } from '../../core/text/format.ts';
import { statePaths, type ServerPorts } from './state-files.ts';

const onLinux = process.platform === 'linux';

interface FoundTemporal {
  readonly pid: number;
  /** Process ID of the leader of its process group. */
  readonly groupId: number;
}

/**
 * Returns the Temporal servers of this user that run on the database of a state directory. One has the lock of the database.
 * Another one is starting, and exits if it does not get the lock.
 */
export function findTemporals(stateDir: string): FoundTemporal[] {
  const { database } = statePaths(stateDir);
  return [...(onLinux ? linuxCommands() : psCommands())].flatMap(({ pid, command, groupId }) => {
    const isTemporal = command.includes('\0start-dev\0') && command.includes(`\0--db-filename\0${database}\0`);
    // Any user can start a process with these arguments.
    return isTemporal && isOwnProcess(pid) ? { pid, groupId: groupId ?? linuxGroupId(pid) } : [];
  });
}

type Commands = Generator<Partial<FoundTemporal> & { readonly pid: number; readonly command: string }>;

function* linuxCommands(): Commands {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    // Undefined for a process that has just exited, and empty if its parent has not read its status yet.
    const command = attempt(() => readFileSync(`/proc/${name}/cmdline`, 'utf8'));
    if (command) yield { pid: Number(name), command };
  }
}

/** `PID (NAME) STATE PARENT GROUP …`, where the name can contain parentheses. */
function linuxGroupId(pid: number): number {
  const status = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // It has just exited.
  if (status === undefined) return pid;
  return Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[2]);
}

function* psCommands(): Commands {
  const list = execFileSync('ps', ['-axww', '-o', 'pid=,pgid=,args='], {
    encoding: 'utf8',
    env: childEnvironment(),
  });
  for (const [, pid, groupId, command] of list.matchAll(/^\s*(\d+)\s+(\d+)\s+(.*)$/gm)) {
    const separated = command?.replace(/ (start-dev|--db-filename) /g, '\0$1\0').replaceAll(' --', '\0--');
    yield { pid: Number(pid), groupId: Number(groupId), command: `${separated}\0` };
  }
}

/**
 * Returns the process ID of a command of an earlier version of Longhaul that uses the database. Such commands have no server
 * process, and each stored a file.
 */
export function findEarlierCommand(stateDir: string): number | undefined {
  const names = attempt(() => readdirSync(statePaths(stateDir).earlierLeases)) ?? [];
  const isRunning = (pid: number) => pid > 0 && attempt(() => process.kill(pid, 0));
  return names.map((name) => parseInt(name, 10)).find(isRunning);
}

/** Returns the ID of the user of a process; undefined if the process does not exist. */
export function processOwner(pid: number): number | undefined {
  const text = onLinux ? linuxOwner(pid) : psOwner(pid);
  return text === undefined || text === '' ? undefined : Number(text);
}

/** Reads the status, because the owner of the files in /proc is root for some processes. */
function linuxOwner(pid: number): string | undefined {
  return attempt(() => /^Uid:\s+\d+\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

function psOwner(pid: number): string | undefined {
  const args = ['-o', 'uid=', '-p', String(pid)];
  const { status, stdout } = spawnSync('ps', args, { encoding: 'utf8', env: childEnvironment() });
  return status === 0 ? stdout.trim() : undefined;
}

/** Returns whether a process of this user has the ID; true if this cannot be determined. */
export function isOwnProcess(pid: number): boolean {
  const ownUid = process.getuid?.();
  const owner = ownUid === undefined ? undefined : processOwner(pid);
  return owner === undefined || owner === ownUid;
}

/**
 * Returns the ID of the user whose process listens on a port of 127.0.0.1. A process of another user on the port of a
 * server that died would receive its callers.
 *
 * @returns undefined if no process listens, or the system doesn't report it
 */
export function portOwner(port: number, readTable = () => readFileSync('/proc/net/tcp', 'utf8')): number | undefined {
  const table = attempt(readTable) ?? '';
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const line of table.split('\n')) {
    // sl, local address, remote address, state (0A: listening), queues, timer, retransmits, uid.
    const [, address = '', , state, , , , uid] = line.trim().split(/\s+/);
    const isHere = address === `0100007F${local}` || address === `00000000${local}`;
    if (isHere && state === '0A') return Number(uid);
  }
  return undefined;
}

/**
 * Ports below the ranges that Linux (32768 and higher) and macOS (49152 and higher) use for outgoing connections. Such a
 * connection could use the port when a restarted server needs it again.
 */
const FIRST_PORT = 17_000;
const END_OF_PORTS = 32_000;

async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Whether no process listens on either port. */
export async function arePortsFree({ port, uiPort }: ServerPorts): Promise<boolean> {
  return (await isFree(port)) && (await isFree(uiPort));
}

export async function pickFreePorts(): Promise<ServerPorts> {
  for (;;) {
    const port = randomInt(FIRST_PORT, END_OF_PORTS - 1);
    const ports = { port, uiPort: port + 1 };
    if (await arePortsFree(ports)) return ports;
  }
}

const INTERVAL_MS = 5_000;
/** With less space, the database soon cannot record events. */
const LOW_BYTES = 16 * 1024 ** 2;

/**
 * Reports a disk that becomes full while the server is running. Without this report, commands would wait without a reason.
 *
 * @param report receives undefined when the disk has space again
 * @param freeBytes for tests
 * @returns a function that stops the watch
 */
export function watchDisk(
  stateDir: string,
  report: (line: string | undefined) => void,
  intervalMs = INTERVAL_MS,
  freeBytes = async () => {
    const { bavail, bsize } = await statfs(stateDir);
    return bavail * bsize;
  },
): () => void {
  let wasLow = false;
  const check = async () => {
    const free = await freeBytes();
    const isLow = free < LOW_BYTES;
    const text = `the disk of the state directory ${stateDir} is full (${formatBytes(free)} left), and uploads wait. Free some space.`;
    if (isLow !== wasLow) report(isLow ? text : undefined);
    wasLow = isLow;
  };
  const timer = setInterval(() => void check().catch(() => {}), intervalMs).unref();
  return () => clearInterval(timer);
}
