import type { Client } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import type { HistoryCost } from './measurement.ts';

/** Counts a history of one execution. */
export function countBillableActions({ events }: History): number {
  return (events ?? []).reduce((sum, event) => {
    if (event.workflowExecutionStartedEventAttributes) return sum + 1;
    if (event.activityTaskStartedEventAttributes) return sum + (event.activityTaskStartedEventAttributes.attempt ?? 1);
    if (event.timerStartedEventAttributes || event.workflowExecutionUpdateAcceptedEventAttributes) return sum + 1;
    if (event.upsertWorkflowSearchAttributesEventAttributes) return sum + 1;
    return sum;
  }, 0);
}

/** Of all the executions of an upload, which continues as new when its history becomes long. */
export async function historyCostOf(client: Client, workflowId: string, parts: number): Promise<HistoryCost> {
  let cost: HistoryCost = { parts, events: 0, bytes: 0, billableActions: 0 };
  let runId: string | undefined;
  do {
    const workflow = client.workflow.getHandle(workflowId, runId);
    const { historyLength, historySize } = await workflow.describe();
    const history = await workflow.fetchHistory();
    cost = {
      parts,
      events: cost.events + historyLength,
      bytes: cost.bytes + (historySize ?? 0),
      billableActions: cost.billableActions + countBillableActions(history),
    };
    const before = history.events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
    runId = before ? before : undefined;
  } while (runId !== undefined);
  return cost;
}
