import { WorkflowExecutionAlreadyStartedError, type Client, WorkflowNotFoundError } from '@temporalio/client';
import { Defaults, Priorities } from '../contracts/limits.ts';
import { WorkflowName } from '../contracts/names.ts';
import type { SyncHandover, SyncMemory } from '../contracts/sync.ts';
import { queryText } from '../core/show/attributes.ts';
import { requestPriority } from '../core/upload/priority.ts';
import { nameOfContainer } from '../core/source/names.ts';
import type { PreparedSync } from './prepare/prepare-sync.ts';
import { SyncIdTakenError } from './errors.ts';
import { syncFaultOf } from './temporal-faults.ts';
import { summaryOf } from '../core/text/markdown.ts';
import { SyncHandle } from './sync-handle.ts';
import { memoryOfResult } from '../core/sync/memory-shape.ts';

/**
 * Starts a run of a sync with the memory of the last one, or attaches to the one that runs.
 *
 * @throws SyncIdTakenError when a sync of that id runs with other options
 * @throws TemporalUnreachableError
 */
export async function startSync(
  client: Client,
  { request, workflowId, memoryId, digest }: PreparedSync,
  options: {
    readonly taskQueue: string;
    readonly workflowTaskTimeoutMs: number;
  },
): Promise<SyncHandle> {
  const { purpose, destination = Defaults.destination } = request;
  const filename = nameOfContainer(request.source);
  try {
    const handover: SyncHandover = { memory: await lastSyncMemory(client, memoryId) };
    await client.workflow.start(WorkflowName.syncSource, {
      workflowId,
      taskQueue: options.taskQueue,
      args: [request, handover],
      memo: { longhaulIdentity: digest },
      // As that of its larger files, which are uploads of their own.
      priority: requestPriority({ ...request.upload, priority: request.upload?.priority ?? Priorities.bulk }),
      workflowTaskTimeout: options.workflowTaskTimeoutMs,
      staticSummary: `${request.dryRun ? 'dry run: ' : ''}${summaryOf(filename, purpose, destination)}`,
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    });
    return new SyncHandle(client, workflowId, false);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw syncFaultOf(error, workflowId);
    const handle = new SyncHandle(client, workflowId, true);
    const { identity } = await handle.describe();
    if (identity !== undefined && identity !== digest) throw new SyncIdTakenError(workflowId);
    return handle;
  }
}

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
