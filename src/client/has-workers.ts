import type { Client } from '@temporalio/client';

/** Numbers of temporal.api.enums.v1.TaskQueueType. */
const QueueType = { workflow: 1, activity: 2 } as const;

/**
 * Whether a worker polled the queue lately (Temporal remembers for some minutes, so a worker that was killed just now
 * still counts).
 *
 * @throws ServiceError of Temporal's client
 */
export async function hasWorkers(client: Client, taskQueue: string, type: keyof typeof QueueType): Promise<boolean> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: QueueType[type],
  });
  return (pollers?.length ?? 0) > 0;
}
