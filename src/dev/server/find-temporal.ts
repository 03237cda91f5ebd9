import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { childEnvironment } from '../../config/child-environment.ts';
import { isOwnProcess } from './process-owner.ts';
import { statePaths } from './state-files.ts';

/** Returns the process ID of the Temporal server of this user that runs on the database of a state directory. */
export function findTemporal(stateDir: string): number | undefined {
  const { database } = statePaths(stateDir);
  for (const [pid, command] of process.platform === 'linux' ? linuxCommands() : psCommands()) {
    const isTemporal = command.includes('\0start-dev\0') && command.includes(`\0--db-filename\0${database}\0`);
    // Any user can start a process with these arguments.
    if (isTemporal && isOwnProcess(pid)) return pid;
  }
  return undefined;
}

type Commands = Generator<readonly [pid: number, nulSeparated: string]>;

function* linuxCommands(): Commands {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // Empty for a process that has exited and whose parent has not read its status yet.
      yield [Number(name), readFileSync(`/proc/${name}/cmdline`, 'utf8')];
    } catch {
      // It has just exited.
    }
  }
}

function* psCommands(): Commands {
  const list = execFileSync('ps', ['-axww', '-o', 'pid=,args='], { encoding: 'utf8', env: childEnvironment() });
  for (const [, pid, command] of list.matchAll(/^\s*(\d+)\s+(.*)$/gm)) {
    const separated = command?.replace(/ (start-dev|--db-filename) /g, '\0$1\0').replaceAll(' --', '\0--');
    yield [Number(pid), `${separated}\0`];
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
