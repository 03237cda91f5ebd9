import { Context } from '@temporalio/activity';
import { ApplicationFailure, ValueError } from '@temporalio/common';
import type { ControlActivities } from '../src/contracts/activities.ts';
import { FailureType } from '../src/contracts/failures.ts';
import { WorkflowName } from '../src/contracts/names.ts';
import type { SyncMemory } from '../src/contracts/sync.ts';
import { queryText } from '../src/core/show/attributes.ts';
import { clipMessage } from '../src/core/text/clip.ts';
import { LonghaulError } from '../src/errors.ts';
import { temporalFault } from '../src/temporal/temporal-fault.ts';
import { tolerantClient } from '../src/temporal/tolerant-client.ts';
import { memoryOfResult, UNREADABLE_MEMORY } from '../src/core/sync/memory-shape.ts';
import { runAttempt } from './attempt.ts';

/**
 * Returns the memory of the last completed run of a schedule or of a workflow ID; null if it is missing or Temporal has
 * deleted it after the retention period. Not all schedulers of Temporal pass on the last result.
 */
export const recallSync: ControlActivities['recallSync'] = ({ workflowId, scheduleId }) =>
  runAttempt(async ({ timeoutMs }) => {
    const client = tolerantClient(Context.current().client);
    const runs =
      scheduleId === null
        ? `WorkflowId = ${queryText(workflowId)}`
        : `TemporalScheduledById = ${queryText(scheduleId)}`;
    const query = `${runs} AND WorkflowType = "${WorkflowName.syncSource}" AND ExecutionStatus = "Completed"`;
    const recall = async (): Promise<SyncMemory | null> => {
      for await (const run of client.workflow.list({ query })) {
        const { workflowId: id, runId } = run;
        return client.workflow.getHandle(id, runId).result().then(memoryOfResult, unreadable);
      }
      return null;
    };
    // After a timeout of the activity, the failure would not contain the cause.
    return client.withDeadline(Date.now() + timeoutMs, recall).catch((error: unknown) => {
      throw unavailable(temporalFault(error));
    });
  });

function unavailable(error: unknown): unknown {
  if (!(error instanceof LonghaulError)) return error;
  return ApplicationFailure.create({
    message: clipMessage(`cannot read the memory of the last run: ${error.message}`),
    type: FailureType.MemoryUnavailable,
    nonRetryable: !error.retryable,
  });
}

/** Another program wrote a result in an encoding that Longhaul does not use. */
function unreadable(error: unknown): typeof UNREADABLE_MEMORY {
  if (error instanceof ValueError || error instanceof SyntaxError) return UNREADABLE_MEMORY;
  throw error;
}
