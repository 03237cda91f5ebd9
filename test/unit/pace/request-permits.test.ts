import { describe, expect, it } from 'vitest';
import { AbortedError } from '../../../src/errors.ts';
import { RequestPermits } from '../../../src/pace/request-permits.ts';

const refuse = () => {
  throw new Error('unexpected');
};

describe('permits for requests', () => {
  it('are asked for together when they are wanted while an answer is under way', async () => {
    const counts: number[] = [];
    const permits = new RequestPermits({
      reserve: async (count) => {
        counts.push(count);
        return Array.from({ length: count }, () => 0);
      },
      onFault: refuse,
    });
    await Promise.all([1, 2, 3, 4].map(() => permits.take()));
    await permits.take();
    expect(counts).toEqual([1, 3, 1]);
  });

  it('hold each request back for its own time', async () => {
    const permits = new RequestPermits({ reserve: async () => [60, 0], onFault: refuse });
    const before = performance.now();
    await permits.take();
    expect(performance.now() - before).toBeGreaterThan(55);
  });

  it('end with the signal of the request', async () => {
    const stop = new AbortController();
    const permits = new RequestPermits({ reserve: async () => [3_600_000], onFault: refuse });
    const taking = permits.take(stop.signal);
    stop.abort();
    await expect(taking).rejects.toThrow(AbortedError);
  });

  it('are given freely when nobody answers, and after a while asked for again', async () => {
    const faults: unknown[] = [];
    let asked = 0;
    const permits = new RequestPermits({
      reserve: async () => {
        asked++;
        throw new Error('no answer');
      },
      onFault: (error) => faults.push(error),
      faultPauseMs: 50,
    });
    await Promise.all([permits.take(), permits.take(), permits.take()]);
    await permits.take();
    expect([asked, faults.length]).toEqual([1, 1]);
    await expect.poll(() => permits.take().then(() => asked)).toBe(2);
  });
});
