import type { Client } from '@temporalio/client';
import { WorkflowName } from '../contracts/names.ts';
import { fromTemporal } from './temporal-faults.ts';

export interface UploadSummary {
  readonly workflowId: string;
  /** `uploadFile`, or `uploadSplitFile` for a file that becomes several Files. */
  readonly type: string;
  /** Workflow that started this upload as one of several, such as the split upload whose piece it is. */
  readonly parentId: string | undefined;
  /** Temporal's: RUNNING, COMPLETED, FAILED, CANCELLED, TERMINATED, CONTINUED_AS_NEW, TIMED_OUT. */
  readonly status: string;
  readonly taskQueue: string;
  readonly startedAt: Date;
  readonly endedAt: Date | undefined;
}

export interface ListOptions {
  /** Only uploads that have not ended. @defaultValue false */
  readonly running?: boolean;
  /** @defaultValue any */
  readonly taskQueue?: string;
}

const uploadTypes = [WorkflowName.uploadFile, WorkflowName.uploadSplitFile].map((name) => `"${name}"`).join(', ');

/** Uploads, newest first; a run that handed over to its successor is left out. */
export async function* listUploads(client: Client, options: ListOptions = {}): AsyncGenerator<UploadSummary> {
  const conditions = [`WorkflowType IN (${uploadTypes})`, 'ExecutionStatus != "ContinuedAsNew"'];
  if (options.running) conditions.push('ExecutionStatus = "Running"');
  if (options.taskQueue) conditions.push(`TaskQueue = "${options.taskQueue}"`);
  try {
    for await (const found of client.workflow.list({ query: conditions.join(' AND ') })) {
      yield {
        workflowId: found.workflowId,
        type: found.type,
        parentId: found.parentExecution?.workflowId ?? undefined,
        status: found.status.name,
        taskQueue: found.taskQueue,
        startedAt: found.startTime,
        endedAt: found.closeTime,
      };
    }
  } catch (error) {
    throw fromTemporal(error, '');
  }
}
