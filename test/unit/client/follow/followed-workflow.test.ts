import { once } from 'node:events';
import type { Client } from '@temporalio/client';
import { expect, it } from 'vitest';
import { JobHandle } from '../../../../src/client/job-handle.ts';
import { FollowedWorkflow } from '../../../../src/client/follow/followed-workflow.ts';

it('one signal cancels the calls of many jobs, without a warning of Node.js', async () => {
  const client = {
    workflow: { getHandle: () => ({}) },
    withAbortSignal: (_signal: AbortSignal, call: () => Promise<unknown>) => call(),
  } as unknown as Client;
  const interruption = new AbortController();
  const warnings: Error[] = [];
  const warn = (warning: Error) => warnings.push(warning);
  process.on('warning', warn);
  try {
    const calls = Array.from({ length: 20 }, (_, index) =>
      new FollowedWorkflow(client, `job-${index}`).until(interruption.signal, () => once(interruption.signal, 'abort')),
    );
    interruption.abort();
    await Promise.all(calls);
    await new Promise(setImmediate);
    expect(warnings).toEqual([]);
  } finally {
    process.off('warning', warn);
  }
});

it('an aborted signal ends progress() without an event about the aborted request', async () => {
  const interruption = new AbortController();
  const details = 'Cancelled on client';
  const cancelled = Object.assign(new Error(`1 CANCELLED: ${details}`), { code: 1, details, metadata: {} });
  const describe = async () => {
    if (!interruption.signal.aborted) await once(interruption.signal, 'abort');
    throw cancelled;
  };
  const client = {
    workflow: { getHandle: () => ({ describe }) },
    withAbortSignal: (_signal: AbortSignal, call: () => Promise<unknown>) => call(),
    withDeadline: (_deadline: number, call: () => Promise<unknown>) => call(),
  } as unknown as Client;
  const next = new JobHandle(client, 'job').progress({ signal: interruption.signal }).next();
  await new Promise(setImmediate);
  interruption.abort();
  expect(await next).toEqual({ done: true, value: undefined });
});
