import { describe, expect, it } from 'vitest';
import { AbortedError } from '../../../src/errors.ts';
import { RequestTurns } from '../../../src/pace/request-rate.ts';

const refuse = () => {
  throw new Error('unexpected');
};

describe('RequestTurns', () => {
  it('reserves requests together that arrive during a reservation', async () => {
    const counts: number[] = [];
    const turns = new RequestTurns({
      reserve: async (count) => {
        counts.push(count);
        return Array.from({ length: count }, () => 0);
      },
      onFault: refuse,
    });
    await Promise.all([1, 2, 3, 4].map(() => turns.take()));
    await turns.take();
    expect(counts).toEqual([1, 3, 1]);
  });

  it('delays each request by its own time', async () => {
    const turns = new RequestTurns({ reserve: async () => [60, 0], onFault: refuse });
    const before = performance.now();
    await turns.take();
    expect(performance.now() - before).toBeGreaterThan(55);
  });

  it('rejects when the signal of the request is aborted', async () => {
    const stop = new AbortController();
    const turns = new RequestTurns({ reserve: async () => [3_600_000], onFault: refuse });
    const taking = turns.take(stop.signal);
    stop.abort();
    await expect(taking).rejects.toThrow(AbortedError);
  });

  it('makes requests immediately after an error, and reserves again after a pause', async () => {
    const faults: unknown[] = [];
    let calls = 0;
    const turns = new RequestTurns({
      reserve: async () => {
        calls++;
        throw new Error('no response');
      },
      onFault: (error) => faults.push(error),
      faultPauseMs: 50,
    });
    await Promise.all([turns.take(), turns.take(), turns.take()]);
    await turns.take();
    expect([calls, faults.length]).toEqual([1, 1]);
    await expect.poll(() => turns.take().then(() => calls)).toBe(2);
  });
});
