import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  TerminatedFailure,
} from '@temporalio/workflow';
import { FailureType } from '../../src/contracts/failures.ts';
import type { SyncProblem } from '../../src/contracts/sync.ts';

/** What became of one file of a sync, in words. */
export function uploadProblem(path: string, error: unknown): SyncProblem {
  if (error instanceof WorkflowExecutionAlreadyStartedError) {
    const message = `the upload ${error.workflowId} of an earlier run still goes on; the next run finds its File`;
    return { path, failureType: FailureType.UploadRunning, message };
  }
  const cause = error instanceof ChildWorkflowFailure || error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof CancelledFailure || cause instanceof TerminatedFailure) {
    return { path, failureType: FailureType.UploadCancelled, message: 'somebody ended its upload' };
  }
  if (cause instanceof ApplicationFailure) {
    return { path, failureType: cause.type ?? 'Unknown', message: cause.message };
  }
  return { path, failureType: cause instanceof Error ? cause.name : 'Unknown', message: (cause as Error).message };
}
