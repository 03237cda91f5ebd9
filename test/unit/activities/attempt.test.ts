import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { runAttempt } from '../../../activities/attempt.ts';
import { PayloadLimits } from '../../../src/contracts/limits.ts';
import { AbortedError, ApiError } from '../../../src/errors.ts';
import { failureOf, mockActivity, stopWorker } from '../../support/mock-activity.ts';

const half = PayloadLimits.payload / 2;

/** Runs a call in an activity whose worker stops immediately. */
function runAtStop(call: (signal: AbortSignal, stopSignal: AbortSignal) => Promise<unknown>): Promise<unknown> {
  const environment = mockActivity();
  return environment.run(() =>
    runAttempt(({ signal, stopSignal }) => {
      stopWorker(environment);
      return call(signal, stopSignal);
    }),
  );
}

describe('an attempt of an activity', () => {
  it('fails permanently with a reason if its result exceeds the payload limit', async () => {
    // Fewer characters than the limit, and more bytes.
    const running = mockActivity().run(() => runAttempt(async () => ({ text: '架'.repeat(half) })));
    const failure = await failureOf(running);
    expect(failure).toMatchObject({ type: 'PayloadTooLarge', nonRetryable: true });
    expect(failure.message).toMatch(
      /the result of the activity .* has 2.86 MiB \(3000011 bytes\), and Temporal accepts/,
    );
  });

  it('returns a result within the payload limit, or undefined', async () => {
    const text = 'a'.repeat(half);
    expect(await mockActivity().run(() => runAttempt(async () => text))).toBe(text);
    expect(await mockActivity().run(() => runAttempt(async () => {}))).toBeUndefined();
  });

  it('sends its first heartbeat before a heartbeat timeout of one second', async () => {
    vi.useFakeTimers();
    try {
      const environment = mockActivity({ heartbeatTimeoutMs: 1000 });
      let beats = 0;
      environment.on('heartbeat', () => beats++);
      let end = () => {};
      const running = environment.run(() => runAttempt(() => new Promise<void>((resolve) => (end = resolve))));
      await vi.advanceTimersByTimeAsync(800);
      expect(beats).toBeGreaterThan(0);
      end();
      await running;
    } finally {
      vi.useRealTimers();
    }
  });

  it('allows an API call 2 seconds when its worker stops, and aborts other work immediately', async () => {
    vi.useFakeTimers();
    try {
      const running = runAtStop(async (signal, stopSignal) => {
        await new Promise((resolve) => setTimeout(resolve, 1900));
        return [signal.aborted, stopSignal.aborted];
      });
      await vi.advanceTimersByTimeAsync(1900);
      expect(await running).toEqual([true, false]);
      expect(vi.getTimerCount()).toBe(0);

      const hanging = failureOf(
        runAtStop(async (_, stopSignal) => {
          await once(stopSignal, 'abort');
          stopSignal.throwIfAborted();
        }),
      );
      await vi.advanceTimersByTimeAsync(2000);
      expect(await hanging).toMatchObject({ type: 'WorkerStopping' });
    } finally {
      vi.useRealTimers();
    }
  });

  it('reports a final response while its worker stops, and releases any other failure', async () => {
    const rejected = (status: number) => runAtStop(() => Promise.reject(new ApiError('rejected', { status })));
    expect(await failureOf(rejected(404))).toMatchObject({ type: 'ApiRejected', nonRetryable: true });
    expect(await failureOf(rejected(503))).toMatchObject({ type: 'WorkerStopping' });
    const aborted = runAtStop(() => Promise.reject(new AbortedError('aborted')));
    expect(await failureOf(aborted)).toMatchObject({ type: 'WorkerStopping' });
  });

  it('omits heartbeat details that exceed the payload limit', async () => {
    const beats: unknown[] = [];
    const environment = mockActivity({ heartbeatTimeoutMs: 10_000 });
    environment.on('heartbeat', (details: unknown) => beats.push(details));
    let details = '架'.repeat(half);
    const act = () =>
      runAttempt(
        async ({ beatNow }) => {
          beatNow();
          details = 'small';
          beatNow();
        },
        () => details,
      );
    await environment.run(act);
    expect(beats).toEqual([undefined, 'small']);
  });
});
