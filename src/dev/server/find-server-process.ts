import { readdir, readFile } from 'node:fs/promises';
import { isOwnProcess } from './process-owner.ts';
import { identifyProcess, type ProcessIdentity } from './process-identity.ts';
import { runCommand } from '../temporal-cli/run-command.ts';
import type { ServerPorts } from './state-files.ts';

interface ProcessCommand {
  readonly pid: number;
  /** Arguments, each ended by `separator`. */
  readonly command: string;
}

async function linuxCommands(): Promise<ProcessCommand[]> {
  const commands: ProcessCommand[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    // Gone in between, or someone else's.
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    commands.push({ pid: Number(name), command });
  }
  return commands;
}

async function psCommands(): Promise<ProcessCommand[]> {
  const { stdout } = await runCommand('ps', ['-axww', '-o', 'pid=,args='], { timeoutMs: 10_000 });
  return stdout.split('\n').flatMap((line) => {
    const [, pid, command] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid === undefined || command === undefined ? [] : [{ pid: Number(pid), command: `${command} ` }];
  });
}

function flagValue(command: string, flag: string, separator: string): number | null {
  const start = command.indexOf(`${separator}${flag}${separator}`);
  const value = start < 0 ? NaN : parseInt(command.slice(start + flag.length + 2), 10);
  return Number.isInteger(value) ? value : null;
}

/**
 * The server that runs on this database file though no record says so: its owner was killed between starting it and
 * writing that down, or the record was deleted. A second server on the same file would break both.
 */
export async function findServerProcess(database: string): Promise<(ProcessIdentity & ServerPorts) | null> {
  const onLinux = process.platform === 'linux';
  const separator = onLinux ? '\0' : ' ';
  for (const { pid, command } of onLinux ? await linuxCommands() : await psCommands()) {
    if (!command.includes(`${separator}start-dev${separator}`)) continue;
    if (!command.includes(`${separator}--db-filename${separator}${database}${separator}`)) continue;
    // Any user can start a process with these arguments.
    if (!isOwnProcess(pid)) continue;
    const identity = identifyProcess(pid);
    const port = flagValue(command, '--port', separator);
    const uiPort = flagValue(command, '--ui-port', separator);
    if (identity !== null && port !== null && uiPort !== null) return { ...identity, port, uiPort };
  }
  return null;
}
