import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  TerminatedFailure,
} from '@temporalio/workflow';
import { FailureType } from '../../src/contracts/failures.ts';
import { TextLimits } from '../../src/contracts/limits.ts';
import type { SyncProblem } from '../../src/contracts/sync.ts';
import { clip, clipMessage } from '../../src/core/text/clip.ts';
import { detailsOf } from '../shell/failures.ts';

/** Failure of the upload of one file or piece of a fleet. */
export interface UploadEnd {
  readonly failureType: string;
  /** HTTP status of a rejection. */
  readonly status?: number;
  readonly message: string;
}

export function describeUploadEnd(error: unknown): UploadEnd {
  if (error instanceof WorkflowExecutionAlreadyStartedError) {
    const message = `the upload ${error.workflowId} of an earlier run is still running. The next run finds its File`;
    return { failureType: FailureType.UploadRunning, message };
  }
  const cause = error instanceof ChildWorkflowFailure || error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof CancelledFailure || cause instanceof TerminatedFailure) {
    return { failureType: FailureType.UploadCancelled, message: 'a client cancelled or terminated its upload' };
  }
  if (cause instanceof ApplicationFailure) {
    return {
      failureType: clip(cause.type || 'Unknown', TextLimits.name),
      status: detailsOf(cause)?.status,
      message: clipMessage(cause.message),
    };
  }
  return {
    failureType: cause instanceof Error ? cause.name : 'Unknown',
    message: clipMessage((cause as Error).message),
  };
}

/** Returns the failure as an entry in the report of a sync. */
export function problemOf(path: string, error: unknown): SyncProblem {
  const { failureType, message } = describeUploadEnd(error);
  return { path, failureType, message };
}
