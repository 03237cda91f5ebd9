import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { childEnvironment } from '../../config/child-environment.ts';

const onLinux = process.platform === 'linux';

/** Returns the ID of the user of a process; undefined if the process does not exist. */
export function processOwner(pid: number): number | undefined {
  const text = onLinux ? linuxOwner(pid) : psOwner(pid);
  return text === undefined || text === '' ? undefined : Number(text);
}

/** Reads the status, because the owner of the files in /proc is root for some processes. */
function linuxOwner(pid: number): string | undefined {
  try {
    return /^Uid:\s+\d+\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
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
  let table: string;
  try {
    table = readTable();
  } catch {
    return undefined;
  }
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const line of table.split('\n')) {
    // sl, local address, remote address, state (0A: listening), queues, timer, retransmits, uid.
    const [, address = '', , state, , , , uid] = line.trim().split(/\s+/);
    const isHere = address === `0100007F${local}` || address === `00000000${local}`;
    if (isHere && state === '0A') return Number(uid);
  }
  return undefined;
}
