import type { Client } from '@temporalio/client';
import type { PendingActivity } from './pending-parts.ts';

/** Numbers of temporal.api.enums.v1.PendingActivityState. */
const SCHEDULED = 1;
const STARTED = 2;

/** None if the workflow has been deleted or cannot be described. */
export async function pendingActivities(client: Client, workflowId: string): Promise<readonly PendingActivity[]> {
  const described = await client.workflow
    .getHandle(workflowId)
    .describe()
    .catch(() => undefined);
  return described?.raw.pendingActivities ?? [];
}

/** An activity between two attempts does not wait for a worker. */
export function queuesOfWaiting(pending: readonly PendingActivity[]): string[] {
  const waiting = pending.filter(
    ({ state, nextAttemptScheduleTime }) => state === SCHEDULED && !nextAttemptScheduleTime,
  );
  return [...new Set(waiting.flatMap(queueOf))];
}

export function queuesOfRunning(pending: readonly PendingActivity[]): string[] {
  return pending.filter(({ state }) => state === STARTED).flatMap(queueOf);
}

function queueOf({ activityOptions }: PendingActivity): string[] {
  const name = activityOptions?.taskQueue?.name;
  return name ? [name] : [];
}
