import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { WorkflowName } from '../contracts/names.ts';
import type { SyncMemory } from '../contracts/sync.ts';
import { queryText } from '../core/list-query.ts';
import { memoryOfResult } from '../core/sync-memory-shape.ts';

/**
 * What the last run of a sync that came to its end handed over; null when there is none, or Temporal has removed it
 * after its retention time.
 *
 * @throws ServiceError of Temporal's client
 */
export async function lastSyncMemory(client: Client, workflowId: string): Promise<SyncMemory | null> {
  try {
    // The newest run is known at once; the list of earlier ones may be some seconds old.
    const { status, runId } = await client.workflow.getHandle(workflowId).describe();
    if (status.name === 'COMPLETED') return await memoryOf(client, workflowId, runId);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
  const query = `WorkflowId = ${queryText(workflowId)} AND WorkflowType = "${WorkflowName.syncSource}" AND ExecutionStatus = "Completed"`;
  for await (const { runId } of client.workflow.list({ query })) return memoryOf(client, workflowId, runId);
  return null;
}

async function memoryOf(client: Client, workflowId: string, runId: string): Promise<SyncMemory | null> {
  return memoryOfResult(await client.workflow.getHandle(workflowId, runId).result());
}
