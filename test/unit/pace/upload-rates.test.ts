import { describe, expect, it, vi } from 'vitest';
import type { UploadLimit } from '../../../src/contracts/upload.ts';
import { UploadRates } from '../../../src/pace/upload-rates.ts';
import { until } from '../../support/until.ts';

const slow: UploadLimit = { bytesPerSecond: 131_072, revision: 1 };
const free: UploadLimit = { bytesPerSecond: 0, revision: 2 };
const nobody = () => Promise.reject(new Error('no worker responds'));

/** Whether bytes must wait, after the bytes that are permitted immediately. */
function isRated(part: ReturnType<UploadRates['enter']>): boolean {
  void part.pace(131_072);
  return part.pace(1) !== undefined;
}

describe('UploadRates', () => {
  it('returns no rate for an upload without a rate', () => {
    expect(isRated(new UploadRates().enter('a', undefined, nobody))).toBe(false);
  });

  it('shares a rate between all parts of one upload', () => {
    const rates = new UploadRates();
    const [one, other] = [rates.enter('a', slow, nobody), rates.enter('a', slow, nobody)];
    void one.pace(131_072);
    expect(other.pace(1)).toBeDefined();
    expect(isRated(rates.enter('b', undefined, nobody))).toBe(false);
  });

  it('applies the newest rate also to earlier parts', () => {
    const rates = new UploadRates();
    const before = rates.enter('a', slow, nobody);
    rates.enter('a', free, nobody);
    rates.enter('a', slow, nobody);
    rates.enter('a', undefined, nobody);
    expect(isRated(before)).toBe(false);
  });

  it('queries the workflow while no new part arrives', async () => {
    const part = new UploadRates(20).enter('a', slow, () => Promise.resolve(free));
    expect(isRated(part)).toBe(true);
    await until(() => !isRated(part), 'the rate to be removed');
    part.leave();
  });

  it('never queries the workflow of an upload without a rate', async () => {
    vi.useFakeTimers();
    try {
      const query = vi.fn<() => Promise<UploadLimit>>(() => Promise.resolve(slow));
      const rates = new UploadRates();
      const part = rates.enter('a', undefined, query);
      await vi.advanceTimersByTimeAsync(600_000);
      expect(query).not.toHaveBeenCalled();
      rates.enter('a', slow, query);
      expect(isRated(part)).toBe(true);
      await vi.advanceTimersByTimeAsync(13_000);
      expect(query).toHaveBeenCalledOnce();
    } finally {
      vi.useRealTimers();
    }
  });

  it('queries the workflow 10 s after the last part, and applies the result to all parts', async () => {
    vi.useFakeTimers();
    try {
      const rates = new UploadRates();
      const part = rates.enter('a', slow, () => Promise.resolve(free));
      await vi.advanceTimersByTimeAsync(900);
      rates.enter('a', slow, nobody);
      await vi.advanceTimersByTimeAsync(9000);
      expect(isRated(part)).toBe(true);
      await vi.advanceTimersByTimeAsync(3600);
      expect(isRated(part)).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });

  it('keeps a rate if the workflow does not respond', async () => {
    let queries = 0;
    const part = new UploadRates(5).enter('a', slow, () => {
      queries++;
      return nobody();
    });
    await until(() => queries >= 2, 'the workflow to be queried');
    expect(isRated(part)).toBe(true);
    part.leave();
  });

  it('removes a rate when the last part is finished', async () => {
    let queries = 0;
    const query = () => {
      queries++;
      return Promise.resolve(slow);
    };
    const rates = new UploadRates(5);
    for (const part of [rates.enter('a', slow, query), rates.enter('a', slow, query)]) part.leave();
    const other = rates.enter('b', slow, query);
    await until(() => queries >= 2, 'the other upload to be queried');
    other.leave();
    const before = queries;
    expect(isRated(rates.enter('a', undefined, nobody))).toBe(false);
    expect(queries).toBe(before);
  });
});
