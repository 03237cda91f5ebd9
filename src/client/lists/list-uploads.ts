import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { WorkflowName } from '../../contracts/names.ts';
import { SearchAttributes } from '../../contracts/search-attributes.ts';
import type { SyncState } from '../../contracts/sync.ts';
import type { UploadState } from '../../contracts/upload.ts';
import { queryText } from '../../core/show/attributes.ts';
import { nameKey } from '../../core/text/name-form.ts';
import { QueryRefusedError, SearchAttributesMissingError } from '../errors.ts';
import { fromTemporal, refusalOf } from '../temporal-faults.ts';

/** An upload or a split upload, or with `syncs` also a sync, in Temporal's list. */
export type UploadSummary = WorkflowSummary;

/** A state to list. `running` includes all that are not closed. */
export type ListedState = UploadState | SyncState | 'running';

/** Filter of `LonghaulClient.list()`. Without options, it lists all uploads and split uploads, the newest first. */
export interface ListOptions {
  /** Whether to include syncs, whose `type` is `syncSource`. @defaultValue false */
  readonly syncs?: boolean;
  /** Whether to list only uploads that are not closed. @defaultValue false */
  readonly running?: boolean;
  /** State of the uploads. States of running uploads require Longhaul's search attributes. @defaultValue any */
  readonly state?: ListedState;
  /** Control queue of the uploads. @defaultValue any */
  readonly taskQueue?: string;
  /** Maximum number of results. @defaultValue all */
  readonly limit?: number;
}

/**
 * Conditions of workflows that are not closed, also of those that are paused in Temporal. Their status cannot be a condition,
 * because earlier servers reject it.
 */
const open = ['Completed', 'Failed', 'TimedOut', 'Canceled', 'Terminated'].map(
  (name) => `ExecutionStatus != "${name}"`,
);

const uploadTypes = [WorkflowName.uploadFile, WorkflowName.uploadSplitFile] as const;

const uploadAndSyncTypes = [...uploadTypes, WorkflowName.syncSource] as const;

/**
 * Lists uploads, newest first, without runs that were continued as new.
 *
 * @throws SearchAttributesMissingError if a `state` requires search attributes that are not registered
 * @throws TemporalUnreachableError
 */
export async function* listUploads(client: Client, options: ListOptions = {}): AsyncGenerator<UploadSummary> {
  const { syncs, running, state, taskQueue, limit = Infinity } = options;
  const conditions = [typeIn(syncs ? uploadAndSyncTypes : uploadTypes), 'ExecutionStatus != "ContinuedAsNew"'];
  if (running) conditions.push(...open);
  if (state) conditions.push(...stateConditions(state));
  if (taskQueue) conditions.push(`TaskQueue = ${queryText(taskQueue)}`);
  let told = 0;
  if (limit < 1) return;
  for await (const upload of listWorkflows(client, conditions.join(' AND '))) {
    yield upload;
    told += 1;
    if (told >= limit) return;
  }
}

function typeIn(types: readonly string[]): string {
  return `WorkflowType IN (${types.map((name) => `"${name}"`).join(', ')})`;
}

/** Uses Temporal's status for closed workflows, because a terminated workflow keeps its last state in the attribute. */
function stateConditions(state: ListedState): string[] {
  if (state === 'running') return open;
  if (state === 'completed') return ['ExecutionStatus = "Completed"'];
  if (state === 'failed') return ['ExecutionStatus IN ("Failed", "TimedOut")'];
  if (state === 'cancelled') return ['ExecutionStatus IN ("Canceled", "Terminated")'];
  return ['ExecutionStatus = "Running"', `${SearchAttributes.state.name} = "${state}"`];
}

/**
 * Lists running uploads, split uploads and syncs that match a list filter of Temporal, such as `LonghaulState = "waiting"`.
 * Omits a piece if its split upload also matches, because updates of the split upload reach it. Converts the filter to the
 * Unicode form of the search attributes.
 *
 * @throws QueryRefusedError, SearchAttributesMissingError, TemporalUnreachableError
 */
export async function findRunning(client: Client, query: string): Promise<readonly WorkflowSummary[]> {
  const types: readonly string[] = uploadAndSyncTypes;
  const found: WorkflowSummary[] = [];
  for await (const one of listWorkflows(
    client,
    `(${nameKey(query)}) AND ${typeIn(types)} AND ExecutionStatus = "Running"`,
  )) {
    // Brackets in the filter can close those of Longhaul, so check that each result belongs to Longhaul.
    if (types.includes(one.type) && one.status === 'RUNNING') found.push(one);
  }
  return withoutPieces(found);
}

/**
 * Lists the workflows that match a list filter of Temporal, in the order of the server: newest first.
 *
 * @throws QueryRefusedError, SearchAttributesMissingError, TemporalUnreachableError
 */
export async function* listWorkflows(client: Client, query: string): AsyncGenerator<WorkflowSummary> {
  try {
    for await (const found of client.workflow.list({ query })) yield toWorkflowSummary(found);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw fromTemporal(error, '');
    const unknown = Object.values(SearchAttributes).find(({ name }) => refusal.endsWith(`search attribute: ${name}`));
    if (unknown) throw new SearchAttributesMissingError(unknown.name, error);
    throw new QueryRefusedError(`Temporal rejected the query: ${refusal.replace(/^invalid query: /, '')}`, {
      cause: error,
    });
  }
}

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
  /** Status in Temporal: RUNNING, PAUSED, COMPLETED, FAILED, CANCELLED, TERMINATED, CONTINUED_AS_NEW, TIMED_OUT. */
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

/** Terminated counts as cancelled and timed out as failed, as in `result`. The attribute has the state before the pause. */
const statesByStatus: Readonly<Record<string, string>> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  TIMED_OUT: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'cancelled',
  PAUSED: 'paused',
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
    state: statesByStatus[status] ?? attributes.get(SearchAttributes.state),
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
