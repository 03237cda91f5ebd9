import { Context } from '@temporalio/activity';
import type { SealingWorkflow } from '../sources/sources.ts';

/** Parents of more pieces than a worker sends at the same time. */
const MAX_PARENTS = 1000;

/**
 * The workflow of the activity that runs now. The pieces of a split upload are children of the upload that the caller
 * started, and the query is sealed for that one. Only Temporal itself can state the parent: a name can be forged.
 */
export function currentWorkflow(): SealingWorkflow {
  const { info, client } = Context.current();
  const { workflowExecution } = info;
  if (!workflowExecution) throw new Error('a sealed query can be opened by an activity of a workflow only');
  const { workflowId, runId } = workflowExecution;
  return { workflowId, parentId: () => parentOf(client, workflowId, runId) };
}

const parents = new Map<string, string | undefined>();

async function parentOf(client: Context['client'], workflowId: string, runId: string): Promise<string | undefined> {
  if (parents.has(runId)) return parents.get(runId);
  const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
  const parentId = raw.workflowExecutionInfo?.parentExecution?.workflowId ?? undefined;
  if (parents.size >= MAX_PARENTS) parents.clear();
  parents.set(runId, parentId);
  return parentId;
}
