import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Bandwidth } from '../../../src/local-api/bandwidth.ts';

describe('Bandwidth', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Takes `count` chunks and returns how many passed after each step of `stepMs`. */
  async function passedOverTime(
    bandwidth: Bandwidth,
    count: number,
    chunkBytes: number,
    stepMs: number,
    steps: number,
  ) {
    let passed = 0;
    const pass = async () => {
      await bandwidth.take(chunkBytes);
      passed += 1;
    };
    for (let n = 0; n < count; n += 1) {
      void pass();
    }
    const seen: number[] = [];
    for (let n = 0; n < steps; n += 1) {
      await vi.advanceTimersByTimeAsync(stepMs);
      seen.push(passed);
    }
    return seen;
  }

  it('does not delay chunks without a limit', () => {
    expect(new Bandwidth(null).take(1_000_000)).toBeUndefined();
  });

  it('passes chunks at the rate, in order', async () => {
    const seen = await passedOverTime(new Bandwidth(1000), 10, 100, 100, 5);
    // The first passes immediately, after which the bucket is empty for 100 ms.
    expect(seen).toEqual([2, 3, 4, 5, 6]);
  });

  it('keeps the average rate with chunks that are larger than the burst', async () => {
    const seen = await passedOverTime(new Bandwidth(1000), 4, 2000, 1000, 6);
    expect(seen).toEqual([1, 2, 2, 3, 3, 4]);
  });

  it('allows only a short burst after a pause', async () => {
    const bandwidth = new Bandwidth(1000);
    await vi.advanceTimersByTimeAsync(60_000);
    const seen = await passedOverTime(bandwidth, 10, 100, 10, 1);
    expect(seen).toEqual([1]);
  });

  it('applies a new rate to waiting chunks', async () => {
    const bandwidth = new Bandwidth(1);
    const seen = await passedOverTime(bandwidth, 3, 1000, 1000, 1);
    bandwidth.bytesPerSecond = null;
    await vi.advanceTimersByTimeAsync(0);
    expect(seen).toEqual([1]);
    await expect(bandwidth.take(1) ?? Promise.resolve('free')).resolves.toBe('free');
  });

  it('does not delay requests after it is closed', async () => {
    const bandwidth = new Bandwidth(1);
    await bandwidth.take(1000);
    const waiting = bandwidth.take(1000);
    bandwidth.close();
    await expect(waiting).resolves.toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });
});
