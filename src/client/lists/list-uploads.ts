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

/** An upload or a split upload, or a sync where these are asked for, as Temporal's list knows it. */
export type UploadSummary = WorkflowSummary;

/** `running` is each that has not ended. */
export type ListedState = UploadState | SyncState | 'running';

export interface ListOptions {
  /** Syncs too, whose `type` is `syncSource`. @defaultValue false */
  readonly syncs?: boolean;
  /** Only uploads that have not ended. @defaultValue false */
  readonly running?: boolean;
  /** Those that have not ended are told apart by Longhaul's search attributes; the other states need none. @defaultValue any */
  readonly state?: ListedState;
  /** @defaultValue any */
  readonly taskQueue?: string;
  /** Most that are told. @defaultValue all */
  readonly limit?: number;
}

const uploadTypes = [WorkflowName.uploadFile, WorkflowName.uploadSplitFile] as const;

export const uploadAndSyncTypes = [...uploadTypes, WorkflowName.syncSource] as const;

/**
 * Uploads, newest first; a run that handed over to its successor is left out.
 *
 * @throws SearchAttributesMissingError for a `state` that the namespace can't tell
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

/** A workflow that was terminated kept its last state in the attribute; Temporal's own status knows better. */
function stateConditions(state: ListedState): string[] {
  if (state === 'running') return ['ExecutionStatus = "Running"'];
  if (state === 'completed') return ['ExecutionStatus = "Completed"'];
  if (state === 'failed') return ['ExecutionStatus IN ("Failed", "TimedOut")'];
  if (state === 'cancelled') return ['ExecutionStatus IN ("Canceled", "Terminated")'];
  return ['ExecutionStatus = "Running"', `${SearchAttributes.state.name} = "${state}"`];
}

/**
 * Uploads, split uploads and syncs that run and match a list query of Temporal's, such as `LonghaulState = "waiting"`.
 * A piece is left out when its split upload matches too: what is told to the whole reaches it.
 * Names in search attributes are in one Unicode form, so the query is too.
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
    // Brackets in the query may close ours: what is not ours must not be steered all the same.
    if (types.includes(one.type) && one.status === 'RUNNING') found.push(one);
  }
  return withoutPieces(found);
}

/**
 * What a list query of Temporal's finds, in the server's order: newest first.
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
    throw new QueryRefusedError(`Temporal refuses the query: ${refusal.replace(/^invalid query: /, '')}`, {
      cause: error,
    });
  }
}
