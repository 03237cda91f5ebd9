import { Context } from '@temporalio/activity';
import { ValueError } from '@temporalio/common';
import type { ControlActivities } from '../src/contracts/activities.ts';
import { WorkflowName } from '../src/contracts/names.ts';
import { queryText } from '../src/core/show/attributes.ts';
import { tolerantClient } from '../src/tolerant-client.ts';
import { memoryOfResult, UNREADABLE_MEMORY } from '../src/core/sync/memory-shape.ts';
import { runAttempt } from './attempt.ts';

/**
 * The memory of the last run that came to its end, of a schedule's runs or of those of one workflow id; null where there
 * is missing, or Temporal has removed it after its retention time. Not all of Temporal's schedulers pass the last result
 * over.
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

/** A result in an encoding that Longhaul does not write is not of Longhaul. */
function unreadable(error: unknown): typeof UNREADABLE_MEMORY {
  if (error instanceof ValueError || error instanceof SyntaxError) return UNREADABLE_MEMORY;
  throw error;
}
