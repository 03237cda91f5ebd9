import type { WorkflowExecutionInfo } from '@temporalio/client';
import { WorkflowName } from '../../contracts/names.ts';
import { SearchAttributes } from '../../contracts/search-attributes.ts';

/**
 * What Temporal's list tells of an upload, a split upload or a sync, without asking a worker. What comes from search
 * attributes is undefined where the cluster lacks them, or the workflow was started without them.
 */
export interface WorkflowSummary {
  readonly workflowId: string;
  /** `uploadFile`, `uploadSplitFile` for a file that becomes several Files, or `syncSource`. */
  readonly type: string;
  /** Workflow that started this one as one of several, such as the split upload whose piece it is. */
  readonly parentId: string | undefined;
  /** Temporal's: RUNNING, COMPLETED, FAILED, CANCELLED, TERMINATED, CONTINUED_AS_NEW, TIMED_OUT. */
  readonly status: string;
  readonly taskQueue: string;
  readonly startedAt: Date;
  readonly endedAt: Date | undefined;
  /** An `UploadState`, of a sync its `SyncState`. What has ended is `completed`, `failed` or `cancelled`, with or without search attributes. */
  readonly state: string | undefined;
  /** `FailureType` of what it waits for or has failed with. */
  readonly reason: string | undefined;
  readonly destination: string | undefined;
  readonly purpose: string | undefined;
  readonly filename: string | undefined;
  /** Id of the File, once it is there. */
  readonly fileId: string | undefined;
  readonly bytes: number | undefined;
  /** Bytes of recorded parts: exact whenever the state changes, up to 5 % behind in between. */
  readonly bytesDone: number | undefined;
  /** 0 to 100. */
  readonly percent: number | undefined;
  /** At the pace so far the session ends before the file is through. */
  readonly endsTooEarly: boolean | undefined;
}

/** Terminated counts as cancelled and timed out as failed, as `result` has it. */
const endStates: Readonly<Record<string, string>> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  TIMED_OUT: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'cancelled',
};

export function toWorkflowSummary(found: Omit<WorkflowExecutionInfo, 'raw'>): WorkflowSummary {
  const { typedSearchAttributes: attributes } = found;
  const status = found.status.name;
  return {
    workflowId: found.workflowId,
    type: found.type,
    parentId: found.parentExecution?.workflowId ?? undefined,
    status,
    taskQueue: found.taskQueue,
    startedAt: found.startTime,
    endedAt: found.closeTime,
    state: endStates[status] ?? attributes.get(SearchAttributes.state),
    reason: attributes.get(SearchAttributes.reason),
    destination: attributes.get(SearchAttributes.destination),
    purpose: attributes.get(SearchAttributes.purpose),
    filename: attributes.get(SearchAttributes.filename),
    fileId: attributes.get(SearchAttributes.fileId),
    bytes: attributes.get(SearchAttributes.bytes),
    bytesDone: attributes.get(SearchAttributes.bytesDone),
    percent: attributes.get(SearchAttributes.percent),
    endsTooEarly: attributes.get(SearchAttributes.endsTooEarly),
  };
}

export function isSync({ type }: { readonly type: string }): boolean {
  return type === WorkflowName.syncSource;
}

/** Leaves out the pieces whose split uploads are there too. */
export function withoutPieces(found: readonly WorkflowSummary[]): readonly WorkflowSummary[] {
  const splits = new Set(
    found.flatMap(({ type, workflowId }) => (type === WorkflowName.uploadSplitFile ? workflowId : [])),
  );
  return found.filter(({ parentId }) => parentId === undefined || !splits.has(parentId));
}
