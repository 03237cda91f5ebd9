import { CommanderError } from 'commander';
import { QueryRefusedError, SearchAttributesMissingError } from '../client/list-errors.ts';
import { SyncIdTakenError } from '../client/sync-errors.ts';
import { NamespaceNotFoundError, TemporalDeniedError } from '../temporal/temporal-errors.ts';
import { UploadIdTakenError } from '../client/upload-errors.ts';
import { sentences } from '../temporal/grpc-cause.ts';
import { printable } from '../core/text/printable.ts';
import { redact } from '../redact.ts';
import { ScheduleExistsError, ScheduleNotFoundError } from '../schedules/schedule-errors.ts';
import { explainError } from './explain-error.ts';
import {
  ConfigError,
  LonghaulError,
  SourceArchivedError,
  SourceForbiddenError,
  SourceMissingError,
  SourceNotRangedError,
  SourceUnusableError,
} from '../errors.ts';

/** Ctrl-C or SIGTERM. */
export class Interrupted extends Error {}

/** The command failed, and its own output says why. */
export class SaidAlready extends Error {}

/** 0 done, 1 failed, 2 wrong usage or configuration, 130 interrupted. */
export const ExitCode = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.done : ExitCode.usage;
  if (error instanceof Interrupted) return ExitCode.interrupted;
  const isUsage =
    error instanceof ConfigError ||
    error instanceof SourceMissingError ||
    error instanceof SourceUnusableError ||
    error instanceof SourceArchivedError ||
    error instanceof SourceForbiddenError ||
    error instanceof SourceNotRangedError ||
    error instanceof UploadIdTakenError ||
    error instanceof SyncIdTakenError ||
    error instanceof NamespaceNotFoundError ||
    error instanceof TemporalDeniedError ||
    error instanceof QueryRefusedError ||
    error instanceof SearchAttributesMissingError ||
    error instanceof ScheduleNotFoundError ||
    error instanceof ScheduleExistsError;
  return isUsage ? ExitCode.usage : ExitCode.failed;
}

/** One line for a person; undefined where something was said already. */
export function describeError(error: unknown): string | undefined {
  if (error instanceof CommanderError || error instanceof Interrupted || error instanceof SaidAlready) return undefined;
  return `longhaul: ${errorText(error)}`;
}

/** The same without the program's name. */
export function errorText(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof LonghaulError) return oneLine(message);
  const explanation = explainError(error);
  // What is left is an error in Longhaul itself: whoever sees it must be able to report it.
  return explanation
    ? oneLine(sentences(explanation))
    : `unexpected: ${oneLine(message)} (LONGHAUL_LOG_LEVEL=debug shows more)`;
}

function oneLine(text: string): string {
  return printable(redact(text).replace(/\s*\n\s*/g, ' · '));
}

/** The command did its work but for some files, which it has named. */
export class FilesFailedError extends LonghaulError {
  readonly code = 'FILES_FAILED';
  readonly retryable = false;
}
