import type { Client } from '@temporalio/client';

/** Returns the number of parts whose IDs are in the workflow history, which is readable without a worker. */
export async function recordedParts(client: Client, workflowId: string): Promise<number> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const scheduled = new Set<string>();
  let recorded = 0;
  for (const {
    eventId,
    activityTaskScheduledEventAttributes: begun,
    activityTaskCompletedEventAttributes: done,
  } of events ?? []) {
    if (begun?.activityType?.name === 'uploadPart') scheduled.add(String(eventId));
    if (done && scheduled.has(String(done.scheduledEventId))) recorded++;
  }
  return recorded;
}
