import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import { Connection } from '@temporalio/client';
import { transferTaskQueue } from '../../src/contracts/names.ts';
import type { System } from './system.ts';

const POLL_MS = 60_000;

/**
 * Runs a worker that polls the queues of a system and completes no task, until `run` returns. Its identity is `unresponsive`.
 */
export async function withUnresponsiveWorker(
  { temporalAddress, taskQueue }: Pick<System, 'temporalAddress' | 'taskQueue'>,
  run: () => Promise<void>,
): Promise<void> {
  const connection = await Connection.connect({ address: temporalAddress });
  const { workflowService } = connection;
  const ended = new AbortController();
  // Each poll leaves a listener.
  setMaxListeners(0, ended.signal);
  const poll = async (call: (request: object) => Promise<unknown>, queue: string) => {
    const request = { namespace: 'default', taskQueue: { name: queue }, identity: 'unresponsive' };
    while (!ended.signal.aborted) {
      const once = () => connection.withDeadline(Date.now() + POLL_MS, () => call(request));
      await connection.withAbortSignal(ended.signal, once).catch(() => {});
    }
  };
  const polls = [
    poll((request) => workflowService.pollWorkflowTaskQueue(request), taskQueue),
    ...[undefined, hostname()].map((host) =>
      poll((request) => workflowService.pollActivityTaskQueue(request), transferTaskQueue(taskQueue, host)),
    ),
  ];
  try {
    await run();
  } finally {
    ended.abort();
    await Promise.all(polls);
    await connection.close();
  }
}
