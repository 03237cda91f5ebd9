import { describe, expect, it } from 'vitest';
import { endsTooEarly, expectedEndMs } from '../../../../src/core/upload/outlook.ts';

const minutes = (count: number) => count * 60_000;

describe('the outlook of a session', () => {
  const pace = { openedAtMs: 0, endsAtMs: minutes(60), nowMs: minutes(10), bytesDone: 100, bytesLeft: 400 };

  it('expects the end by the pace so far', () => {
    expect(expectedEndMs(pace)).toBe(minutes(50));
    expect(endsTooEarly(pace)).toBe(false);
  });

  it('says early that the time will not do', () => {
    expect(endsTooEarly({ ...pace, bytesLeft: 501 })).toBe(true);
    expect(endsTooEarly({ ...pace, bytesLeft: 500 })).toBe(false);
  });

  it('says nothing before it has measured for a while, or with nothing done', () => {
    expect(expectedEndMs({ ...pace, nowMs: 29_999, bytesLeft: 1e12 })).toBeUndefined();
    expect(endsTooEarly({ ...pace, bytesDone: 0 })).toBe(false);
  });
});
