import type { Client } from '@temporalio/client';
import { WorkflowName } from '../../contracts/names.ts';
import { SearchAttributes } from '../../contracts/search-attributes.ts';
import type { SyncState } from '../../contracts/sync.ts';
import type { UploadState } from '../../contracts/upload.ts';
import { queryText } from '../../core/show/attributes.ts';
import { type WorkflowSummary, withoutPieces, toWorkflowSummary } from './workflow-summary.ts';
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

const uploadTypes = [WorkflowName.uploadFile, WorkflowName.uploadSplitFile] as const;

export const uploadAndSyncTypes = [...uploadTypes, WorkflowName.syncSource] as const;

/**
 * Lists uploads, newest first, without runs that were continued as new.
 *
 * @throws SearchAttributesMissingError if a `state` requires search attributes that are not registered
 * @throws TemporalUnreachableError
 */
export async function* listUploads(client: Client, options: ListOptions = {}): AsyncGenerator<UploadSummary> {
  const { syncs, running, state, taskQueue, limit = Infinity } = options;
  const conditions = [typeIn(syncs ? uploadAndSyncTypes : uploadTypes), 'ExecutionStatus != "ContinuedAsNew"'];
  if (running) conditions.push('ExecutionStatus = "Running"');
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

export function typeIn(types: readonly string[]): string {
  return `WorkflowType IN (${types.map((name) => `"${name}"`).join(', ')})`;
}

/** Uses Temporal's status for closed workflows, because a terminated workflow keeps its last state in the attribute. */
function stateConditions(state: ListedState): string[] {
  if (state === 'running') return ['ExecutionStatus = "Running"'];
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
