import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import { FailureType, type FailureDetails } from '../../src/contracts/failures.ts';
import { waitingReason } from '../../src/core/upload/reasons.ts';

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
  const { status, retryAtMs, sourceScope } = (cause.details?.[0] ?? {}) as FailureDetails;
  // Only this file of many cannot be read.
  if (sourceScope === 'file') return undefined;
  const reason = waitingReason({ failureType: type, status, message: cause.message, retryAtMs });
  if (reason === undefined) return undefined;
  return {
    type,
    reason,
    status,
    retryAtMs,
  };
}
