import { WorkflowFailedError } from '@temporalio/client';
import { LonghaulError } from '../errors.ts';
import { UploadCancelledError, UploadFailedError, UploadNotFoundError } from './upload-errors.ts';
import { fromTemporal } from './temporal-faults.ts';

/** The sync as a whole could not be done. `failureType` is one of `FailureType`, or a name of Temporal's. */
export class SyncFailedError extends LonghaulError {
  readonly code = 'SYNC_FAILED';
  readonly retryable = false;
  readonly workflowId: string;
  readonly failureType: string;

  constructor(workflowId: string, failureType: string, message: string, cause: unknown) {
    super(message, { cause });
    this.workflowId = workflowId;
    this.failureType = failureType;
  }
}

/** Somebody cancelled or terminated the sync. */
export class SyncCancelledError extends LonghaulError {
  readonly code = 'SYNC_CANCELLED';
  readonly retryable = false;
  readonly workflowId: string;

  constructor(workflowId: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.workflowId = workflowId;
  }
}

/** No sync has that id. */
export class SyncNotFoundError extends LonghaulError {
  readonly code = 'SYNC_NOT_FOUND';
  readonly retryable = false;

  constructor(workflowId: string, cause?: unknown) {
    super(`there is no sync with the id ${workflowId}`, { cause });
  }
}

/** A sync with that id runs, and does something else. */
export class SyncIdTakenError extends LonghaulError {
  readonly code = 'SYNC_ID_TAKEN';
  readonly retryable = false;

  constructor(workflowId: string) {
    super(
      `the sync ${workflowId} runs already, with other options; wait for its end, give the same options to follow it, ` +
        `or end it with "longhaul cancel ${workflowId}"`,
    );
  }
}

/** As `fromTemporal`, in the words of a sync. */
export function syncFaultOf(error: unknown, workflowId: string): unknown {
  const fault = fromTemporal(error, workflowId);
  if (fault instanceof UploadNotFoundError) return new SyncNotFoundError(workflowId, error);
  if (!(error instanceof WorkflowFailedError)) return fault;
  if (fault instanceof UploadCancelledError) {
    return new SyncCancelledError(workflowId, 'the sync was cancelled or terminated from outside', error);
  }
  return fault instanceof UploadFailedError
    ? new SyncFailedError(workflowId, fault.failureType, fault.message, error)
    : fault;
}
