import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { childEnvironment } from '../../config/child-environment.ts';
import { isOwnProcess } from './process-owner.ts';
import { statePaths } from './state-files.ts';

export interface FoundTemporal {
  readonly pid: number;
  /** Process ID of the leader of its process group. */
  readonly groupId: number;
}

/** Returns the process ID of a Temporal server of this user that runs on the database of a state directory. */
export function findTemporal(stateDir: string): number | undefined {
  return temporalProcesses(stateDir).next().value?.pid;
}

/**
 * Returns all of them. One has the lock of the database. Another one is starting, and exits if it does not get the lock.
 */
export function findTemporals(stateDir: string): FoundTemporal[] {
  return [...temporalProcesses(stateDir)];
}

function* temporalProcesses(stateDir: string): Generator<FoundTemporal, undefined> {
  const { database } = statePaths(stateDir);
  for (const { pid, command, groupId } of process.platform === 'linux' ? linuxCommands() : psCommands()) {
    const isTemporal = command.includes('\0start-dev\0') && command.includes(`\0--db-filename\0${database}\0`);
    // Any user can start a process with these arguments.
    if (isTemporal && isOwnProcess(pid)) yield { pid, groupId: groupId ?? linuxGroupId(pid) };
  }
}

type Commands = Generator<Partial<FoundTemporal> & { readonly pid: number; readonly command: string }>;

function* linuxCommands(): Commands {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // Empty for a process that has exited and whose parent has not read its status yet.
      yield { pid: Number(name), command: readFileSync(`/proc/${name}/cmdline`, 'utf8') };
    } catch {
      // It has just exited.
    }
  }
}

/** `PID (NAME) STATE PARENT GROUP …`, where the name can contain parentheses. */
function linuxGroupId(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[2]);
  } catch {
    // It has just exited.
    return pid;
  }
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
  try {
    const pids = readdirSync(statePaths(stateDir).earlierLeases).map((name) => parseInt(name, 10));
    return pids.find((pid) => pid > 0 && isRunning(pid));
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
