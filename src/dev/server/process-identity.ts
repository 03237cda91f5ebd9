import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';

/** A process that can't be mistaken for a later one under the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the words of the platform; only ever compared. */
  readonly startTime: string;
  /** Where its `pid` is valid: containers that share a directory do not see each other's processes. Linux only. */
  readonly pidNamespace?: string;
}

const onLinux = process.platform === 'linux';

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

function ownPidNamespace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return undefined;
  }
}

const pidNamespace = onLinux ? ownPidNamespace() : undefined;

/** Whether the process runs in another container, so that nothing can be found out about it. */
export function isForeign(identity: ProcessIdentity): boolean {
  return identity.pidNamespace !== undefined && identity.pidNamespace !== pidNamespace;
}

/** Whether this process can reach the ports of another one on 127.0.0.1, as far as that can be known. */
export function sharesNetwork(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync('/proc/self/ns/net');
  } catch {
    return true;
  }
}

/** Start times below /proc count from the boot, so that they can repeat after a restart of the machine. */
const linuxBootId = onLinux ? bootId() : '';

function linuxStartTime(pid: number): string | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // Field 2 is the program's name in parentheses and may hold spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTicks = fields[19];
  if (state === undefined || startTicks === undefined) return null;
  // A zombie has ended; only its parent hasn't asked yet, and in a container without an init nobody ever does.
  return state === 'Z' || state === 'X' ? null : `${linuxBootId}:${startTicks}`;
}

function psStartTime(pid: number): string | null {
  const { status, stdout } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
    encoding: 'utf8',
    env: { LC_ALL: 'C', TZ: 'UTC', PATH: '/bin:/usr/bin' },
  });
  const match = status === 0 ? /^\s*(\S+)\s+(\S.*\S)\s*$/m.exec(stdout) : null;
  const [, state, startTime] = match ?? [];
  return state === undefined || startTime === undefined || state.startsWith('Z') ? null : startTime;
}

/** The living process under `pid`, or null when there is none (a zombie counts as none). */
export function identifyProcess(pid: number): ProcessIdentity | null {
  const startTime = onLinux ? linuxStartTime(pid) : psStartTime(pid);
  return startTime === null ? null : { pid, startTime, pidNamespace };
}

let own: ProcessIdentity | undefined;

/** The process that asks. */
export function ownIdentity(): ProcessIdentity {
  own ??= identifyProcess(process.pid) ?? { pid: process.pid, startTime: 'unknown', pidNamespace };
  return own;
}

/** Whether this very process still lives. Of a process in another container, false. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (isForeign(identity)) return false;
  if (identity.pid === process.pid) return identity.startTime === ownIdentity().startTime;
  return identifyProcess(identity.pid)?.startTime === identity.startTime;
}

/**
 * The same question for frequent polling: where a full answer means starting `ps`, a re-used pid goes unnoticed.
 */
export function isProbablyAlive(identity: ProcessIdentity): boolean {
  if (onLinux) return isAlive(identity);
  try {
    process.kill(identity.pid, 0);
    return true;
  } catch {
    return false;
  }
}
