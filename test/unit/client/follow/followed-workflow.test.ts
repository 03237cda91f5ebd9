import { once } from 'node:events';
import { WorkflowUpdateRPCTimeoutOrCancelledError, type Client } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { JobHandle } from '../../../../src/client/job-handle.ts';
import { hasWorkers } from '../../../../src/client/queues/queue-workers.ts';
import { FollowedWorkflow } from '../../../../src/client/follow/followed-workflow.ts';

vi.mock('../../../../src/client/queues/queue-workers.ts', { spy: true });

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
  const rejectAtAbort = async () => {
    if (!interruption.signal.aborted) await once(interruption.signal, 'abort');
    throw cancelled;
  };
  const client = {
    workflow: { getHandle: () => ({ describe: rejectAtAbort }) },
    withAbortSignal: (_signal: AbortSignal, call: () => Promise<unknown>) => call(),
    withDeadline: (_deadline: number, call: () => Promise<unknown>) => call(),
  } as unknown as Client;
  const next = new JobHandle(client, 'job').progress({ signal: interruption.signal }).next();
  await new Promise(setImmediate);
  interruption.abort();
  expect(await next).toEqual({ done: true, value: undefined });
});

const unavailable = Object.assign(new Error('14 UNAVAILABLE'), { code: 14, details: 'not connected', metadata: {} });

/** A client whose handles have only these methods. */
function clientOf(handle: object): Client {
  return {
    workflow: { getHandle: () => handle },
    withAbortSignal: (_signal: AbortSignal, call: () => Promise<unknown>) => call(),
    withDeadline: (_deadline: number, call: () => Promise<unknown>) => call(),
  } as unknown as Client;
}

describe('a job without a response of Temporal', () => {
  const silent = clientOf({ describe: () => Promise.reject(unavailable) });

  afterEach(() => vi.restoreAllMocks());

  it.each([{ intervalMs: null }, { signal: null }])('has a pause between two events with %j', async (options) => {
    const events = new JobHandle(silent, 'job').progress(options as never);
    await events.next();
    const startedAtMs = performance.now();
    await events.next();
    expect(performance.now() - startedAtMs).toBeGreaterThan(400);
    await events.return();
  });

  it('has a pause between two attempts of result() with a signal that is null', async () => {
    const result = vi
      .fn<() => Promise<unknown>>()
      .mockRejectedValueOnce(unavailable)
      .mockRejectedValueOnce(new Error('end'));
    const startedAtMs = performance.now();
    await expect(new JobHandle(clientOf({ result }), 'job', true).result({ signal: null } as never)).rejects.toThrow();
    expect(result).toHaveBeenCalledTimes(2);
    expect(performance.now() - startedAtMs).toBeGreaterThan(400);
  });

  it('does not count the time between two calls of progress() as silence', async () => {
    const handle = new JobHandle(silent, 'job');
    const now = vi.spyOn(performance, 'now');
    const first = async () => {
      const events = handle.progress();
      const { value } = await events.next();
      await events.return();
      return value;
    };
    now.mockReturnValue(0);
    expect(await first()).toMatchObject({ type: 'no-answer', isLasting: undefined });
    now.mockReturnValue(3_600_000);
    expect(await first()).toMatchObject({ type: 'no-answer', isLasting: undefined });
  });
});

describe('a control without a response in time', () => {
  const timeout = new WorkflowUpdateRPCTimeoutOrCancelledError('timeout');
  const description = { status: { name: 'RUNNING' }, type: 'uploadFile', taskQueue: 'q' };

  beforeEach(() => {
    vi.mocked(hasWorkers).mockResolvedValue(true);
  });

  it('reports that a worker has accepted it', async () => {
    const startUpdate = async () => ({ result: () => Promise.reject(timeout) });
    const call = new JobHandle(clientOf({ describe: async () => description, startUpdate }), 'my job').pause();
    await expect(call).rejects.toMatchObject({
      code: 'NO_WORKER',
      message: `a worker accepted the pause of my job, but it is not in effect yet. Run "longhaul status 'my job'".`,
    });
  });

  it('reports that Temporal does not respond, if it does not respond any longer', async () => {
    const describeOnce = vi
      .fn<() => Promise<unknown>>()
      .mockResolvedValueOnce(description)
      .mockRejectedValue(unavailable);
    const startUpdate = () => Promise.reject(timeout);
    const call = new JobHandle(clientOf({ describe: describeOnce, startUpdate }), 'job').pause();
    await expect(call).rejects.toMatchObject({ code: 'TEMPORAL_UNREACHABLE' });
  });
});
