import type { Client } from '@temporalio/client';
import { describeQueue } from './describe-queue.ts';

/**
 * Whether a worker polled the queue lately (Temporal remembers for some minutes, so a worker that was killed just now
 * still counts).
 *
 * @throws ServiceError of Temporal's client
 */
export async function hasWorkers(client: Client, taskQueue: string, type: 'workflow' | 'activity'): Promise<boolean> {
  return (await describeQueue(client, taskQueue, type)).pollers.length > 0;
}
