import { describe, expect, it } from 'vitest';
import { endsTooEarly, expectedEndMs, splitSizeFor, sufficientSplitSize } from '../../../../src/core/upload/outlook.ts';

const minutes = (count: number) => count * 60_000;

describe('the outlook of a session', () => {
  const pace = { openedAtMs: 0, endsAtMs: minutes(60), nowMs: minutes(10), bytesDone: 100, bytesLeft: 400 };

  it('estimates the end from the average rate', () => {
    expect(expectedEndMs(pace)).toBe(minutes(50));
    expect(endsTooEarly(pace)).toBe(false);
  });

  it('warns early if the time is not sufficient', () => {
    expect(endsTooEarly({ ...pace, bytesLeft: 501 })).toBe(true);
    expect(endsTooEarly({ ...pace, bytesLeft: 500 })).toBe(false);
  });

  it('does not warn in the first 30 s, or before any bytes are sent', () => {
    expect(expectedEndMs({ ...pace, nowMs: 29_999, bytesLeft: 1e12 })).toBeUndefined();
    expect(endsTooEarly({ ...pace, bytesDone: 0 })).toBe(false);
  });
});

describe('sufficientSplitSize', () => {
  const pace = {
    openedAtMs: 0,
    endsAtMs: 3_600_000,
    nowMs: 60_000,
    bytesDone: 60 * 1024 ** 2,
    bytesLeft: 8 * 1024 ** 3,
  };

  it('is a power of two that the session can upload at the rate, with a reserve', () => {
    expect(sufficientSplitSize(pace)).toBe(2 * 1024 ** 3);
    expect(sufficientSplitSize({ ...pace, endsAtMs: 7_200_000 })).toBe(4 * 1024 ** 3);
    expect(sufficientSplitSize({ ...pace, bytesDone: 1024 })).toBe(1024 ** 2);
    expect(sufficientSplitSize({ ...pace, bytesLeft: 1024 ** 3 })).toBeUndefined();
    for (const bytesPerSecond of [1000, 123_456, 2 ** 21, 10 ** 8]) {
      const size = splitSizeFor(bytesPerSecond, 3_600_000);
      expect(size <= Math.max(bytesPerSecond * 3600, 1024 ** 2)).toBe(true);
      expect(2 * size > bytesPerSecond * 3600 * 0.8).toBe(true);
    }
  });
});
