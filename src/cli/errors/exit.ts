import { CommanderError } from 'commander';
import { printable } from '../../core/text/printable.ts';
import { LonghaulError } from '../../errors.ts';
import { redact } from '../../redact.ts';
import { sentences } from '../../temporal/grpc-cause.ts';
import { explainError } from './explain-error.ts';

/** Ctrl-C or SIGTERM. */
export class Interrupted extends Error {}

/** The command failed, and its output contains the reason. */
export class AlreadyReported extends Error {}

/** 0 done, 1 failed, 2 wrong usage or configuration, 130 interrupted. */
export const ExitCode = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Codes of errors that only a change of the arguments, the configuration or the source can fix. */
const USAGE_CODES: ReadonlySet<string> = new Set([
  'CONFIG_INVALID',
  'SOURCE_MISSING',
  'SOURCE_UNUSABLE',
  'SOURCE_ARCHIVED',
  'SOURCE_FORBIDDEN',
  'SOURCE_NOT_RANGED',
  'JOB_ID_TAKEN',
  'NAMESPACE_NOT_FOUND',
  'TEMPORAL_DENIED',
  'QUERY_REFUSED',
  'SEARCH_ATTRIBUTES_MISSING',
  'SCHEDULE_NOT_FOUND',
  'SCHEDULE_EXISTS',
]);

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.done : ExitCode.usage;
  if (error instanceof Interrupted) return ExitCode.interrupted;
  return error instanceof LonghaulError && USAGE_CODES.has(error.code) ? ExitCode.usage : ExitCode.failed;
}

/** Returns the line to print; undefined if the error was already printed. */
export function describeError(error: unknown): string | undefined {
  if (error instanceof CommanderError || error instanceof Interrupted || error instanceof AlreadyReported)
    return undefined;
  return `longhaul: ${errorText(error)}`;
}

/** Returns the line without the program's name. */
export function errorText(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof LonghaulError) return oneLine(message);
  const explanation = explainError(error);
  // Any other error is a defect of Longhaul, which the user must be able to report.
  return explanation
    ? oneLine(sentences(explanation))
    : `unexpected error: ${oneLine(message)}. For details, set LONGHAUL_LOG_LEVEL=debug.`;
}

function oneLine(text: string): string {
  return printable(redact(text).replace(/\s*\n\s*/g, ' · '));
}

/** Some files failed. The command has printed them, and completed the others. */
export class FilesFailedError extends LonghaulError {
  readonly code = 'FILES_FAILED';
  readonly retryable = false;
}
