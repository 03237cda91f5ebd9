import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { Defaults, Priorities } from '../contracts/limits.ts';
import { WorkflowName } from '../contracts/names.ts';
import type { SyncHandover } from '../contracts/sync.ts';
import { initialAttributes } from '../core/attribute-values.ts';
import { requestPriority } from '../core/request-priority.ts';
import { nameOfContainer } from '../core/source-names.ts';
import { lastSyncMemory } from './last-sync-memory.ts';
import type { NamespaceAttributes } from './namespace-attributes.ts';
import type { PreparedSync } from './prepare-sync.ts';
import { SyncIdTakenError } from './sync-errors.ts';
import { syncFaultOf } from './sync-faults.ts';
import { summaryOf } from '../core/markdown.ts';
import { SyncHandle } from './sync-handle.ts';

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
    readonly attributes: NamespaceAttributes;
  },
): Promise<SyncHandle> {
  const { purpose, destination = Defaults.destination } = request;
  const filename = nameOfContainer(request.source);
  try {
    const handover: SyncHandover = { memory: await lastSyncMemory(client, memoryId) };
    await options.attributes.startWith(initialAttributes('listing', { filename, purpose, destination }), (known) =>
      client.workflow.start(WorkflowName.syncSource, {
        workflowId,
        taskQueue: options.taskQueue,
        args: [request, handover],
        memo: { longhaulIdentity: digest },
        ...known,
        // As that of its larger files, which are uploads of their own.
        priority: requestPriority({ ...request.upload, priority: request.upload?.priority ?? Priorities.bulk }),
        workflowTaskTimeout: options.workflowTaskTimeoutMs,
        staticSummary: `${request.dryRun ? 'dry run: ' : ''}${summaryOf(filename, purpose, destination)}`,
        workflowIdConflictPolicy: 'FAIL',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      }),
    );
    return new SyncHandle(client, workflowId, false);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw syncFaultOf(error, workflowId);
    const handle = new SyncHandle(client, workflowId, true);
    const { identity } = await handle.describe();
    if (identity !== undefined && identity !== digest) throw new SyncIdTakenError(workflowId);
    return handle;
  }
}
