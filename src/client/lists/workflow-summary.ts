import type { WorkflowExecutionInfo } from '@temporalio/client';
import { WorkflowName } from '../../contracts/names.ts';
import { SearchAttributes } from '../../contracts/search-attributes.ts';

/**
 * An upload, a split upload or a sync in Temporal's list, without a query to a worker. Properties of search attributes are
 * undefined if the cluster does not have these, or the workflow was started without them.
 */
export interface WorkflowSummary {
  readonly workflowId: string;
  /** `uploadFile`, `uploadSplitFile` for a file that becomes several Files, or `syncSource`. */
  readonly type: string;
  /** Workflow that started this one as one of several, such as the split upload whose piece it is. */
  readonly parentId: string | undefined;
  /** Status in Temporal: RUNNING, COMPLETED, FAILED, CANCELLED, TERMINATED, CONTINUED_AS_NEW, TIMED_OUT. */
  readonly status: string;
  readonly taskQueue: string;
  readonly startedAt: Date;
  readonly endedAt: Date | undefined;
  /** An `UploadState` or `SyncState`. After the end `completed`, `failed` or `cancelled`, also without search attributes. */
  readonly state: string | undefined;
  /** `FailureType` of the error for which it waits or has failed. */
  readonly reason: string | undefined;
  readonly destination: string | undefined;
  readonly purpose: string | undefined;
  readonly filename: string | undefined;
  /** ID of the File, when it exists. */
  readonly fileId: string | undefined;
  readonly bytes: number | undefined;
  /** Bytes of recorded parts: exact after a change of the state, otherwise up to 5% behind. */
  readonly bytesDone: number | undefined;
  /** 0 to 100. */
  readonly percent: number | undefined;
  /** Whether, at the current rate, the session expires before the file is complete. */
  readonly endsTooEarly: boolean | undefined;
}

/** Terminated counts as cancelled and timed out as failed, as in `result`. */
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

/** Omits the pieces whose split uploads are in the list. */
export function withoutPieces(found: readonly WorkflowSummary[]): readonly WorkflowSummary[] {
  const splits = new Set(
    found.flatMap(({ type, workflowId }) => (type === WorkflowName.uploadSplitFile ? workflowId : [])),
  );
  return found.filter(({ parentId }) => parentId === undefined || !splits.has(parentId));
}
