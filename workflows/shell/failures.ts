import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  isCancellation,
  TemporalFailure,
  TimeoutFailure,
} from '@temporalio/workflow';
import { FailureType, type FailureDetails } from '../../src/contracts/failures.ts';
import { TextLimits } from '../../src/contracts/limits.ts';
import { jsonBytes, Unreadable } from '../../src/core/payload.ts';
import { clip, clipMessage } from '../../src/core/text/clip.ts';
import { knownDetails } from '../../src/core/shape/failure-details.ts';
import { createHeartbeat } from '../../src/core/shape/heartbeats.ts';
import { reasonLabel } from '../../src/core/show/attributes.ts';
import { waitingReason } from '../../src/core/upload/reasons.ts';
import { retry } from './activities.ts';

/** Of a failure of a workflow: more than Longhaul's activities write. */
const MAX_DETAILS_BYTES = 100_000;

/** Returns the failure type of a workflow, and the status of the rejection that caused it. */
export function reasonOfFailure(failure: unknown): string {
  if (!(failure instanceof ApplicationFailure)) return 'Unknown';
  return reasonLabel(failure.type || 'Unknown', detailsOf(failure)?.status);
}

/**
 * Unwraps the failure of an activity, so that every client finds the type at the same depth. Any client can fail an activity,
 * so texts and details are limited: Temporal rejects a larger failure of a workflow repeatedly.
 */
export function failureOf(error: unknown): unknown {
  if (!(error instanceof ActivityFailure)) return error;
  const { message, type, details } = causeOf(error);
  const isLarge = jsonBytes(details) > MAX_DETAILS_BYTES;
  const isLong = isLarge || message.length > MAX_DETAILS_BYTES;
  return ApplicationFailure.create({
    message: clipMessage(message),
    type: clip(type || 'Unknown', TextLimits.name),
    nonRetryable: true,
    details: isLarge ? [] : [...details],
    cause: isLong || hasUnreadable(error) ? undefined : error,
  });
}

/** Whether data of an error or of its causes is not JSON: a client of the workflow could not read its failure. */
function hasUnreadable(error: unknown): boolean {
  if (!(error instanceof TemporalFailure)) return false;
  const { details, lastHeartbeatDetails } = error as {
    readonly details?: unknown;
    readonly lastHeartbeatDetails?: unknown;
  };
  const data = [lastHeartbeatDetails, ...(Array.isArray(details) ? details : [])];
  return data.some((value) => value instanceof Unreadable) || hasUnreadable(error.cause);
}

interface Cause {
  readonly message: string;
  readonly type: string | null | undefined;
  readonly details: readonly unknown[];
}

function causeOf({ cause, activityType }: ActivityFailure): Cause {
  if (cause instanceof ApplicationFailure) {
    const { message, type, details } = cause;
    return { message, type, details: details ?? [] };
  }
  if (cause instanceof TimeoutFailure) {
    const message = `the activity ${activityType} timed out in its last attempt (${cause.timeoutType})`;
    return { message, type: FailureType.TimedOut, details: [] };
  }
  if (cause instanceof CancelledFailure)
    return { message: cancelledByOthers(activityType), type: FailureType.ResultInvalid, details: [] };
  return { message: cause?.message ?? `the activity ${activityType} failed`, type: cause?.name, details: [] };
}

function cancelledByOthers(activityType: string): string {
  return `another client cancelled the activity ${activityType}`;
}

/** Whether a failure is a cancellation of this workflow, or of the scope that runs. Any client can cancel an activity. */
export function isRequestedCancellation(error: unknown): boolean {
  return isCancellation(error) && CancellationScope.current().consideredCancelled;
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
  return knownDetails(failure?.details?.[0]);
}

/** Number of attempts of a failed create call that can have opened a session without a response. */
export function unansweredBy(error: unknown): number {
  const { unanswered } = detailsOf(error) ?? {};
  if (unanswered !== undefined) return unanswered;
  if (!(error instanceof ActivityFailure) || error.cause instanceof ApplicationFailure) return 0;
  // Another client ended it, and an attempt can still run.
  if (!(error.cause instanceof TimeoutFailure)) return isRequestedCancellation(error) ? 0 : 1;
  // An operator changed its timeouts.
  if (error.retryState !== 'MAXIMUM_ATTEMPTS_REACHED') return 1;
  const beat = createHeartbeat(error.cause.lastHeartbeatDetails);
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
  if (cause instanceof CancelledFailure && !isRequestedCancellation(error)) {
    const [type, message] = [FailureType.ResultInvalid, cancelledByOthers(error.activityType)];
    return { type, reason: waitingReason({ failureType: type, message }) };
  }
  if (!(cause instanceof ApplicationFailure)) {
    // All attempts had heartbeat timeouts: the workers were killed, but the next worker can survive. Or an operator
    // changed the timeouts of the activity.
    return cause instanceof TimeoutFailure || error.retryState === 'MAXIMUM_ATTEMPTS_REACHED'
      ? { type: FailureType.WorkerStopping, reason: undefined }
      : undefined;
  }
  const type = clip(cause.type ?? '', TextLimits.name);
  if (type === FailureType.WorkerStopping) return { type, reason: undefined };
  const { status, sourceScope, retryAfterMs, ...details } = detailsOf(cause) ?? {};
  // Only this file of many cannot be read.
  if (sourceScope === 'file') return undefined;
  // By Temporal's clock: with that of a worker that is late, the pause would be over immediately.
  const retryAtMs = retryAfterMs === undefined ? details.retryAtMs : Date.now() + retryAfterMs;
  const reason = waitingReason({ failureType: type, status, message: clipMessage(cause.message), retryAtMs });
  if (reason === undefined) return undefined;
  return {
    type,
    reason,
    status,
    retryAtMs,
  };
}
