import type { Worker } from '@temporalio/worker';
import { expect, it } from 'vitest';
import { LonghaulWorker } from '../../../src/worker/longhaul-worker.ts';

/** Ends a few turns after its shutdown, as a worker that waits for its tasks. */
function fakeWorker(taskQueue: string, said: string[], options: object = {}): Worker {
  let end = () => {};
  let state = 'RUNNING';
  return {
    options: { taskQueue, ...options },
    getState: () => state,
    run: () => new Promise<void>((resolve) => (end = resolve)),
    shutdown: () => {
      state = 'STOPPING';
      said.push(`stop ${taskQueue}`);
      setImmediate(() => {
        said.push(`end ${taskQueue}`);
        end();
      });
    },
  } as unknown as Worker;
}

it('a shutdown ends the transfer workers before the worker of the workflows stops', async () => {
  const said: string[] = [];
  const control = fakeWorker('control', said, { workflowBundle: {} });
  const worker = new LonghaulWorker([control, fakeWorker('shared', said), fakeWorker('host', said)], []);
  await worker.shutdown();
  expect(said).toEqual(['stop shared', 'stop host', 'end shared', 'end host', 'stop control', 'end control']);
});
