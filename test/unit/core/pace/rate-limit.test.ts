import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mostPartsUnder, RateLimit } from '../../../../src/core/pace/rate-limit.ts';

const MiB = 1024 * 1024;

describe('a limit of bytes a second', () => {
  it('is none when there is none', () => {
    expect(new RateLimit().take(1000 * MiB, 0)).toBe(0);
  });

  it('lets chunks go one behind the other', () => {
    const limit = new RateLimit(MiB);
    const waits = [0, 1, 2, 3].map(() => limit.take(MiB / 4, 1000));
    expect(waits).toEqual([0, 150, 400, 650]);
  });

  it('holds at once when it is changed, for all that is asked for then', () => {
    const limit = new RateLimit(MiB);
    limit.take(MiB, 0);
    limit.bytesPerSecond = 2 * MiB;
    expect(limit.take(MiB, 0)).toBe(900);
    expect(limit.take(MiB, 0)).toBe(1400);
    limit.bytesPerSecond = undefined;
    expect(limit.take(MiB, 0)).toBe(0);
  });

  it('is kept within a tenth of a second and one chunk over any time, whoever asks when', () => {
    const asks = fc.array(fc.record({ afterMs: fc.nat(500), bytes: fc.integer({ min: 1, max: MiB }) }), {
      minLength: 1,
      maxLength: 100,
    });
    fc.assert(
      fc.property(asks, fc.integer({ min: MiB / 8, max: 100 * MiB }), (list, bytesPerSecond) => {
        const limit = new RateLimit(bytesPerSecond);
        let nowMs = 0;
        const grants = list.map(({ afterMs, bytes }) => {
          nowMs += afterMs;
          return { atMs: nowMs + limit.take(bytes, nowMs), bytes };
        });
        for (const [index, { atMs: fromMs }] of grants.entries()) {
          let sum = 0;
          for (const { atMs, bytes } of grants.slice(index)) {
            sum += bytes;
            const allowed = ((atMs - fromMs + 100) / 1000) * bytesPerSecond + bytes;
            expect(sum).toBeLessThanOrEqual(allowed * 1.0001);
          }
        }
      }),
    );
  });

  it('feeds as many parts as do not starve under it, and one at least', () => {
    expect(mostPartsUnder(1)).toBe(1);
    expect(mostPartsUnder(MiB)).toBe(8);
  });
});
