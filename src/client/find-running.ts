import type { Client } from '@temporalio/client';
import { nameKey } from '../core/name-form.ts';
import { typeIn, uploadAndSyncTypes } from './list-uploads.ts';
import { listWorkflows } from './list-workflows.ts';
import { withoutPieces, type WorkflowSummary } from './workflow-summary.ts';

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
