import type { Worker } from '@temporalio/worker';
import { expect, it, vi } from 'vitest';
import { LonghaulWorker } from '../../../src/worker/longhaul-worker.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * Ends a few turns after its shutdown, as a worker that waits for its tasks.
 *
 * @param last resolves when its last task is completed
 */
function fakeWorker(taskQueue: string, said: string[], options: object = {}, last: Promise<unknown> = turn()): Worker {
  let end = () => {};
  let state = 'RUNNING';
  return {
    options: { taskQueue, ...options },
    getState: () => state,
    run: () => new Promise<void>((resolve) => (end = resolve)),
    shutdown: () => {
      state = 'STOPPING';
      said.push(`stop ${taskQueue}`);
      const finish = async () => {
        await last;
        await turn();
        said.push(`end ${taskQueue}`);
        end();
      };
      void finish();
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

it('a shutdown stops the worker of the workflows after 1 s if the transfer workers still send parts', async () => {
  const said: string[] = [];
  let complete = () => {};
  const sent = new Promise<void>((resolve) => (complete = resolve));
  const control = fakeWorker('control', said, { workflowBundle: {} });
  const worker = new LonghaulWorker([control, fakeWorker('shared', said, {}, sent)], []);
  const ended = worker.shutdown();
  await vi.waitFor(() => expect(said).toContain('end control'), { timeout: 5000 });
  complete();
  await ended;
  expect(said).toEqual(['stop shared', 'stop control', 'end control', 'end shared']);
});
