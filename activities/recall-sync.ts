import { Context } from '@temporalio/activity';
import type { ControlActivities } from '../src/contracts/activities.ts';
import { WorkflowName } from '../src/contracts/names.ts';
import type { SyncResult } from '../src/contracts/sync.ts';
import { runAttempt } from './run-attempt.ts';

/**
 * The memory of the last run that came to its end, of a schedule's runs or of those of one workflow id; null where there
 * is none, or Temporal has removed it after its retention time. Not all of Temporal's schedulers hand the last result
 * over.
 */
export const recallSync: ControlActivities['recallSync'] = ({ workflowId, scheduleId }) =>
  runAttempt(async () => {
    const { client } = Context.current();
    const runs =
      scheduleId === null ? `WorkflowId = ${quoted(workflowId)}` : `TemporalScheduledById = ${quoted(scheduleId)}`;
    const query = `${runs} AND WorkflowType = "${WorkflowName.syncSource}" AND ExecutionStatus = "Completed"`;
    for await (const run of client.workflow.list({ query })) {
      const result: Partial<SyncResult> | undefined = await client.workflow
        .getHandle(run.workflowId, run.runId)
        .result();
      return result?.memory ?? null;
    }
    return null;
  });

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
