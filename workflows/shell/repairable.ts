import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import { FailureType, type FailureDetails } from '../../src/contracts/failures.ts';
import { waitingReason } from '../../src/core/upload/reasons.ts';

interface RepairableFailure {
  readonly type: string;
  readonly status?: number;
  readonly retryAtMs?: number;
  readonly reason: string | undefined;
}

/** The reason for which an activity's failure is worth waiting; undefined for one that is final. */
export function repairable(error: unknown): RepairableFailure | undefined {
  if (!(error instanceof ActivityFailure)) return undefined;
  // A part that was being stopped and failed by itself meanwhile is not repeated by Temporal; that says nothing.
  if (error.retryState === 'CANCEL_REQUESTED') return { type: FailureType.WorkerStopping, reason: undefined };
  const { cause } = error;
  if (!(cause instanceof ApplicationFailure)) {
    // Heartbeats that stopped, round after round: workers die, and the next one may live.
    return error.retryState === 'MAXIMUM_ATTEMPTS_REACHED'
      ? { type: FailureType.WorkerStopping, reason: undefined }
      : undefined;
  }
  const type = cause.type ?? '';
  if (type === FailureType.WorkerStopping) return { type, reason: undefined };
  const { status, retryAtMs, sourceScope } = (cause.details?.[0] ?? {}) as FailureDetails;
  // One file of many, the others of which can be read.
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
