import { statfs } from 'node:fs/promises';
import { errnoCause, errnoOf, machineFixes } from '../../core/text/errno-cause.ts';
import { LonghaulError, ConfigError } from '../../errors.ts';
import { databaseCause } from '../../temporal/grpc-cause.ts';
import { readServerRecord, statePaths } from './state-files.ts';

/** The embedded Temporal server could not be started, reached or shared. */
export class EmbeddedTemporalError extends LonghaulError {
  readonly code = 'EMBEDDED_TEMPORAL_FAILED';
  readonly retryable = true;
}

const fixes: Readonly<Record<string, string>> = {
  ENOSPC: 'Free some space, or set LONGHAUL_STATE_DIR to a directory on another disk',
  EDQUOT: 'Free some space, or set LONGHAUL_STATE_DIR to a directory on another disk',
  EIO: 'Check the disk, or set LONGHAUL_STATE_DIR to a directory on another disk',
};

/** Returns a system error of the state directory as one line with the fix, and any other error unchanged. */
export function stateDirectoryError(stateDir: string, error: unknown): unknown {
  const code = errnoOf(error);
  if (code === undefined) return error;
  // Any directory would have these errors.
  const fixOfMachine = machineFixes[code];
  if (fixOfMachine !== undefined) {
    const message = `cannot run the embedded Temporal server: ${errnoCause(code)}. ${fixOfMachine}.`;
    return new ConfigError(message, { cause: error });
  }
  // A program that cannot be started: the message of the command names it.
  if ((error as NodeJS.ErrnoException).syscall?.startsWith('spawn')) return error;
  const fix = fixes[code] ?? 'Set LONGHAUL_STATE_DIR to a directory that this user can write to';
  return new ConfigError(`cannot use the state directory ${stateDir}: ${errnoCause(code)}. ${fix}.`, { cause: error });
}

/** Space that a new database requires. */
const MIN_FREE_BYTES = 8 * 1024 ** 2;
const SHOWN_LINES = 8;

/**
 * Returns the reason for which Temporal could not be started, and the fix.
 *
 * @param tail the last lines of its log. A full disk leaves it empty.
 */
export async function startError(stateDir: string, version: string, problem: string, tail: string): Promise<string> {
  const otherDirectory = 'or LONGHAUL_STATE_DIR to another directory';
  if (/^no such (table|column)/.test(problem)) {
    const recorded = readServerRecord(stateDir)?.temporalCli;
    const creator = recorded === undefined ? 'another version' : `version ${recorded}`;
    return (
      `Temporal CLI ${version} cannot read the database in ${stateDir}, which ${creator} created (${problem}). ` +
      `Set LONGHAUL_TEMPORAL_CLI to the path of that version, ${otherDirectory}.`
    );
  }
  if (tail.includes('database is locked')) {
    return (
      `another Temporal server uses the database in ${stateDir}, such as one in another container. ` +
      `Set TEMPORAL_ADDRESS to an address of that server, ${otherDirectory}.`
    );
  }
  const address = /listen tcp (\S+): bind: address already in use/.exec(tail)?.[1];
  if (address !== undefined) {
    return `the Temporal server did not start: another program uses its port (${address}). Stop that program, then try again.`;
  }
  const isFull = await statfs(stateDir).then(
    ({ bavail, bsize }) => bavail * bsize < MIN_FREE_BYTES,
    () => false,
  );
  const cause = databaseCause(isFull ? 'no space left on device' : tail);
  if (cause) return `the Temporal server did not start: ${cause.problem} (${stateDir}). ${cause.fix}.`;
  const { log } = statePaths(stateDir);
  const start = `the Temporal server did not start: ${problem}.`;
  if (tail === '') return `${start} Try again. Its log ${log} is empty.`;
  return `${start} Fix the error in its log ${log}, then try again. Its last lines: ${lastLines(tail)}`;
}

/** Returns one line, without the stack trace of a server that panicked, which hides the cause. */
function lastLines(tail: string): string {
  const lines = tail.split('\n');
  const trace = lines.findIndex((line) => /^goroutine \d+ .*\[/.test(line));
  return lines
    .slice(0, trace < 0 ? undefined : trace)
    .slice(-SHOWN_LINES)
    .map((line) => line.trim())
    .filter(Boolean)
    .join(' · ');
}
