import type { Client } from '@temporalio/client';
import { QueueWorkers } from './queue-workers.ts';

/**
 * Whether a worker polls the queue. A worker that was killed counts for some seconds, or up to 90 s if the server does not
 * accept the heartbeats of workers.
 *
 * @throws ServiceError of Temporal's client
 */
export async function hasWorkers(client: Client, taskQueue: string, type: 'workflow' | 'activity'): Promise<boolean> {
  return (await QueueWorkers.of(client).look(taskQueue, type)).presence !== 'unpolled';
}
