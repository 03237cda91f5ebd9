import type { History } from '@temporalio/common/lib/proto-utils.js';

/** What one upload leaves at Temporal. */
export interface HistoryCost {
  readonly parts: number;
  readonly events: number;
  readonly bytes: number;
  /**
   * By the rules of Temporal Cloud: a start, each attempt of an activity, timers and updates count one each. Heartbeats
   * count too, but leave no trace in a history: a part has none that ends within a second.
   */
  readonly billableActions: number;
}

/** Counts a history of one execution. */
export function countBillableActions({ events }: History): number {
  return (events ?? []).reduce((sum, event) => {
    if (event.workflowExecutionStartedEventAttributes) return sum + 1;
    if (event.activityTaskStartedEventAttributes) return sum + (event.activityTaskStartedEventAttributes.attempt ?? 1);
    if (event.timerStartedEventAttributes || event.workflowExecutionUpdateAcceptedEventAttributes) return sum + 1;
    return sum;
  }, 0);
}

export function describeHistoryCost({ parts, events, bytes, billableActions }: HistoryCost): string {
  const perPart = (count: number, digits: number) => (count / parts).toFixed(digits);
  return (
    `one upload of ${parts} parts: ${events} events, ${bytes} bytes of history, ${billableActions} billable actions; ` +
    `a part: ${perPart(events, 1)} events, ${perPart(bytes, 0)} bytes, ${perPart(billableActions, 2)} actions`
  );
}
