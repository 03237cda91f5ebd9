import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import type { CreateHeartbeat } from '../../src/contracts/activities.ts';
import { FailureType, type FailureDetails } from '../../src/contracts/failures.ts';
import { reasonLabel } from '../../src/core/show/attributes.ts';
import { waitingReason } from '../../src/core/upload/reasons.ts';
import { retry } from './activities.ts';

/** Returns the failure type of a workflow, and the status of the rejection that caused it. */
export function reasonOfFailure(failure: unknown): string {
  if (!(failure instanceof ApplicationFailure)) return 'Unknown';
  const details = failure.details?.[0] as FailureDetails | undefined;
  return reasonLabel(failure.type ?? 'Unknown', details?.status);
}

/** Unwraps the failure of an activity, so that every client finds the type at the same depth. */
export function failureOf(error: unknown): unknown {
  const cause = failureIn(error);
  if (!cause) return error;
  return ApplicationFailure.create({
    message: cause.message,
    type: cause.type ?? FailureType.ApiRejected,
    nonRetryable: true,
    details: cause.details ?? [],
    cause: error as Error,
  });
}

/** Returns the failure that the last attempt of an activity threw; undefined for any other error. */
export function failureIn(error: unknown): ApplicationFailure | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return cause instanceof ApplicationFailure ? cause : undefined;
}

/** Whether the service did no work for any attempt of an activity that failed. */
export function isNotDone(error: unknown): boolean {
  return detailsOf(error)?.notDone === true;
}

/** Returns the details of the last attempt of a failed activity. */
export function detailsOf(error: unknown): FailureDetails | undefined {
  const failure = error instanceof ApplicationFailure ? error : failureIn(error);
  return failure?.details?.[0] as FailureDetails | undefined;
}

/** Number of attempts of a failed create call that can have opened a session without a response. */
export function unansweredBy(error: unknown): number {
  const { unanswered } = detailsOf(error) ?? {};
  if (unanswered !== undefined) return unanswered;
  const isTimeout = error instanceof ActivityFailure && error.cause instanceof TimeoutFailure;
  if (!isTimeout || error.retryState !== 'MAXIMUM_ATTEMPTS_REACHED') return 0;
  const beat = error.cause.lastHeartbeatDetails as CreateHeartbeat | undefined;
  return retry.maximumAttempts - (beat?.refused ?? 0);
}

interface RepairableFailure {
  readonly type: string;
  readonly status?: number;
  readonly retryAtMs?: number;
  readonly reason: string | undefined;
}

/** Returns the reason for which the upload waits after a failure of an activity; undefined if the failure is final. */
export function repairable(error: unknown): RepairableFailure | undefined {
  if (!(error instanceof ActivityFailure)) return undefined;
  // A part that failed while it was being aborted is not retried by Temporal. This is not a reason to wait.
  if (error.retryState === 'CANCEL_REQUESTED') return { type: FailureType.WorkerStopping, reason: undefined };
  const { cause } = error;
  if (!(cause instanceof ApplicationFailure)) {
    // All attempts had heartbeat timeouts: the workers were killed, but the next worker can survive.
    return error.retryState === 'MAXIMUM_ATTEMPTS_REACHED'
      ? { type: FailureType.WorkerStopping, reason: undefined }
      : undefined;
  }
  const type = cause.type ?? '';
  if (type === FailureType.WorkerStopping) return { type, reason: undefined };
  const { status, sourceScope, retryAfterMs, ...details } = (cause.details?.[0] ?? {}) as FailureDetails;
  // Only this file of many cannot be read.
  if (sourceScope === 'file') return undefined;
  // By Temporal's clock: with that of a worker that is late, the pause would be over immediately.
  const retryAtMs = retryAfterMs === undefined ? details.retryAtMs : Date.now() + retryAfterMs;
  const reason = waitingReason({ failureType: type, status, message: cause.message, retryAtMs });
  if (reason === undefined) return undefined;
  return {
    type,
    reason,
    status,
    retryAtMs,
  };
}
