import { Context } from '@temporalio/activity';
import { ValueError } from '@temporalio/common';
import type { ControlActivities } from '../src/contracts/activities.ts';
import { WorkflowName } from '../src/contracts/names.ts';
import { queryText } from '../src/core/show/attributes.ts';
import { tolerantClient } from '../src/tolerant-client.ts';
import { memoryOfResult, UNREADABLE_MEMORY } from '../src/core/sync/memory-shape.ts';
import { runAttempt } from './attempt.ts';

/**
 * Returns the memory of the last completed run of a schedule or of a workflow ID; null if it is missing or Temporal has
 * deleted it after the retention period. Not all schedulers of Temporal pass on the last result.
 */
export const recallSync: ControlActivities['recallSync'] = ({ workflowId, scheduleId }) =>
  runAttempt(async () => {
    const client = tolerantClient(Context.current().client);
    const runs =
      scheduleId === null
        ? `WorkflowId = ${queryText(workflowId)}`
        : `TemporalScheduledById = ${queryText(scheduleId)}`;
    const query = `${runs} AND WorkflowType = "${WorkflowName.syncSource}" AND ExecutionStatus = "Completed"`;
    for await (const run of client.workflow.list({ query })) {
      const { workflowId: id, runId } = run;
      return client.workflow.getHandle(id, runId).result().then(memoryOfResult, unreadable);
    }
    return null;
  });

/** Another program wrote a result in an encoding that Longhaul does not use. */
function unreadable(error: unknown): typeof UNREADABLE_MEMORY {
  if (error instanceof ValueError || error instanceof SyntaxError) return UNREADABLE_MEMORY;
  throw error;
}
