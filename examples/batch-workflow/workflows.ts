// Temporal's bundler compiles this file, so no build step is necessary.
import { ApplicationFailure, executeChild, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { uploadFile } from 'longhaul/workflows';

export interface BatchJob {
  /** Absolute path of a JSONL file of requests, each with a `custom_id`. */
  readonly requests: string;
  /** Absolute path of the merged file. */
  readonly results: string;
  readonly endpoint: string;
  /** Time between two checks of the batch. */
  readonly pollInterval: `${number} ${'seconds' | 'minutes'}`;
}

export interface BatchReport {
  readonly batchId: string;
  readonly completed: number;
  readonly failed: number;
  readonly missing: number;
  /** The first `custom_id`s without a result, with the reason. */
  readonly problems: readonly { readonly custom_id: string; readonly reason: string }[];
}

/** The activities of `activities.js`. */
interface Activities {
  createBatch(request: { fileId: string; endpoint: string; workflowId: string }): Promise<string>;
  batchEnd(batchId: string): Promise<FinishedBatch>;
  mergeResults(request: { requests: string; results: string; batch: FinishedBatch }): Promise<BatchReport>;
}

interface FinishedBatch {
  readonly id: string;
  readonly status: 'completed' | 'failed' | 'expired' | 'cancelled';
  readonly outputFileId?: string;
  readonly errorFileId?: string;
  readonly problem?: string;
}

const { createBatch, mergeResults } = proxyActivities<Activities>({
  startToCloseTimeout: '30 minutes',
  heartbeatTimeout: '5 seconds', // A killed worker is replaced after 5 seconds.
});

/** Uploads requests, runs them as a batch at the service, and merges the results with the requests. */
export async function runBatch({ requests, results, endpoint, pollInterval }: BatchJob): Promise<BatchReport> {
  const { workflowId } = workflowInfo();
  const { file } = await executeChild<typeof uploadFile>('uploadFile', {
    args: [{ source: { type: 'file', path: requests }, purpose: 'batch' }],
    taskQueue: 'longhaul',
    workflowId: `${workflowId}-upload`,
  });
  const batchId = await createBatch({ fileId: file.id, endpoint, workflowId });
  // Each check is an attempt of the same activity, so that a wait of 24 hours adds three events to the history.
  const { batchEnd } = proxyActivities<Activities>({
    startToCloseTimeout: '1 minute',
    retry: { initialInterval: pollInterval, backoffCoefficient: 1 },
  });
  const batch = await batchEnd(batchId);
  if (batch.status === 'failed') throw ApplicationFailure.nonRetryable(batch.problem, 'BatchFailed');
  // An expired or cancelled batch has the results of the requests that ran. The others are missing.
  return mergeResults({ requests, results, batch });
}
