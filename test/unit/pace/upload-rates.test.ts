import { describe, expect, it, vi } from 'vitest';
import type { UploadLimit } from '../../../src/contracts/upload.ts';
import { UploadLimits } from '../../../src/pace/upload-rates.ts';
import { until } from '../../support/until.ts';

const slow: UploadLimit = { bytesPerSecond: 131_072, revision: 1 };
const free: UploadLimit = { bytesPerSecond: 0, revision: 2 };
const nobody = () => Promise.reject(new Error('no worker answers'));

/** Whether bytes have to wait, after what may go at once has gone. */
function isLimited(part: ReturnType<UploadLimits['enter']>): boolean {
  void part.pace(131_072);
  return part.pace(1) !== undefined;
}

describe('the limits of uploads', () => {
  it('are none where nobody gave one', () => {
    expect(isLimited(new UploadLimits().enter('a', undefined, nobody))).toBe(false);
  });

  it('hold for all parts of an upload together, and for those of no other', () => {
    const limits = new UploadLimits();
    const [one, other] = [limits.enter('a', slow, nobody), limits.enter('a', slow, nobody)];
    void one.pace(131_072);
    expect(other.pace(1)).toBeDefined();
    expect(isLimited(limits.enter('b', undefined, nobody))).toBe(false);
  });

  it('are the newest that a part brought, for the parts before it as well', () => {
    const limits = new UploadLimits();
    const before = limits.enter('a', slow, nobody);
    limits.enter('a', free, nobody);
    limits.enter('a', slow, nobody);
    limits.enter('a', undefined, nobody);
    expect(isLimited(before)).toBe(false);
  });

  it('are asked for while no new part comes', async () => {
    const part = new UploadLimits(20).enter('a', slow, () => Promise.resolve(free));
    expect(isLimited(part)).toBe(true);
    await until(() => !isLimited(part), 'the limit to be gone');
    part.leave();
  });

  it('are asked for rarely while there is none, and a new one holds within a minute', async () => {
    vi.useFakeTimers();
    try {
      const ask = vi.fn<() => Promise<UploadLimit>>(() => Promise.resolve(slow));
      const part = new UploadLimits().enter('a', undefined, ask);
      await vi.advanceTimersByTimeAsync(50_000);
      expect(ask).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(10_000);
      expect(ask).toHaveBeenCalled();
      expect(isLimited(part)).toBe(true);
      part.leave();
    } finally {
      vi.useRealTimers();
    }
  });

  it('are heard of within 5 s, though parts came at different moments', async () => {
    vi.useFakeTimers();
    try {
      const limits = new UploadLimits();
      const part = limits.enter('a', slow, () => Promise.resolve(free));
      await vi.advanceTimersByTimeAsync(300);
      limits.enter('a', slow, nobody);
      await vi.advanceTimersByTimeAsync(3500);
      expect(isLimited(part)).toBe(true);
      await vi.advanceTimersByTimeAsync(1500);
      expect(isLimited(part)).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });

  it('stay as they are when the workflow does not answer', async () => {
    let asked = 0;
    const part = new UploadLimits(5).enter('a', slow, () => {
      asked++;
      return nobody();
    });
    await until(() => asked >= 2, 'the workflow to be asked');
    expect(isLimited(part)).toBe(true);
    part.leave();
  });

  it('are forgotten, and nobody is asked, when the last part has left', async () => {
    let asked = 0;
    const ask = () => {
      asked++;
      return Promise.resolve(free);
    };
    const limits = new UploadLimits(5);
    for (const part of [limits.enter('a', slow, ask), limits.enter('a', slow, ask)]) part.leave();
    const other = limits.enter('b', slow, ask);
    await until(() => asked >= 2, 'the other upload to be asked for');
    other.leave();
    const before = asked;
    expect(isLimited(limits.enter('a', undefined, nobody))).toBe(false);
    expect(asked).toBe(before);
  });
});
