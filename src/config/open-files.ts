import { readFileSync } from 'node:fs';
import { ConfigError } from '../errors.ts';

/** With fewer, Node.js aborts the process in the middle of uploads. It is the usual limit of macOS. */
const MIN_OPEN_FILES = 256;

/** Returns the limit of open files of this process; Infinity if the system does not report it. Linux only. */
export function openFileLimit(readLimits = () => readFileSync('/proc/self/limits', 'utf8')): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readLimits()) ?? [];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}

/** @throws ConfigError if a worker that sends parts could reach the limit of open files */
export function assertOpenFiles(limit = openFileLimit()): void {
  if (limit >= MIN_OPEN_FILES) return;
  throw new ConfigError(
    `the limit of open files is ${limit}, and a worker that sends parts requires ${MIN_OPEN_FILES}. ` +
      `Raise the limit: ulimit -n ${MIN_OPEN_FILES}.`,
  );
}
