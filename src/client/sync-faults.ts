import { WorkflowFailedError } from '@temporalio/client';
import { UploadCancelledError, UploadFailedError, UploadNotFoundError } from './upload-errors.ts';
import { SyncCancelledError, SyncFailedError, SyncNotFoundError } from './sync-errors.ts';
import { fromTemporal } from './temporal-faults.ts';

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
