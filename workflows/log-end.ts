import { ApplicationFailure, isCancellation, log, TemporalFailure } from '@temporalio/workflow';
import type { FailureDetails } from '../src/contracts/failures.ts';
import type { SyncProgress } from '../src/contracts/sync.ts';
import { syncEndLine, uploadEndLine, type End, type EndedUpload, type EndLine } from '../src/core/end-line.ts';

/*
 * One line in the worker's log for each upload and sync that ends. The SDK's logger prints nothing at replay, so that
 * the worker that closes the workflow prints it, once.
 */

export function logCompletedUpload(upload: EndedUpload, fileIds: readonly string[]): void {
  print(uploadEndLine({ state: 'completed', fileIds }, upload, Date.now()));
}

/** @param failure with which the workflow ends; any other error is retried by Temporal, and ends nothing */
export function logFailedUpload(upload: EndedUpload, failure: unknown): void {
  if (failure instanceof TemporalFailure) print(uploadEndLine(endOf(failure), upload, Date.now()));
}

export function logCompletedSync(source: string, progress: SyncProgress): void {
  print(syncEndLine({ state: 'completed', fileIds: [] }, source, progress, Date.now()));
}

/** @param failure as of `logFailedUpload` */
export function logFailedSync(source: string, progress: SyncProgress, failure: unknown): void {
  if (failure instanceof TemporalFailure) print(syncEndLine(endOf(failure), source, progress, Date.now()));
}

/** A request that was rejected: nothing was read, so that only the failure is known. */
export function logRejectedRequest(kind: 'upload' | 'sync', failure: ApplicationFailure): void {
  const reason = failure.message;
  log.info(`${kind} failed: ${failure.type}: ${reason}`, { state: 'failed', failureType: failure.type, reason });
}

function endOf(failure: TemporalFailure): End {
  if (isCancellation(failure)) return { state: 'cancelled' };
  const { type, details } = failure instanceof ApplicationFailure ? failure : {};
  return {
    state: 'failed',
    failureType: type ?? failure.name,
    reason: failure.message,
    details: details?.[0] as FailureDetails | undefined,
  };
}

function print({ message, fields }: EndLine): void {
  log.info(message, { ...fields });
}
