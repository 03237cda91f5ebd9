import { ApplicationFailure, isCancellation, log, TemporalFailure } from '@temporalio/workflow';
import { knownDetails } from '../../src/core/shape/failure-details.ts';
import { endLine, type End, type JobProgress } from '../../src/core/show/end-line.ts';

/*
 * Writes one line to the worker's log for each upload and sync that closes. The SDK's logger prints nothing during replay,
 * so only the worker that closes the workflow prints it.
 */

/** @param end the created Files, or the failure. A failure that Temporal retries is not logged */
export function logEnd(
  progress: JobProgress,
  end: { readonly fileIds: readonly string[] } | { readonly failure: unknown },
): void {
  if ('fileIds' in end) print({ state: 'completed', fileIds: end.fileIds }, progress);
  else if (end.failure instanceof TemporalFailure) print(endOf(end.failure), progress);
}

/** Logs a rejected request, of which only the failure is known. */
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
    details: knownDetails(details?.[0]),
  };
}

function print(end: End, progress: JobProgress): void {
  const { message, fields } = endLine(end, progress, Date.now());
  log.info(message, { ...fields });
}
