import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteRate, mostPartsUnder, Rate, reserveRequests } from '../../../../src/core/pace/rate.ts';

const MiB = 1024 * 1024;

describe('a limit in bytes per second', () => {
  it('does not delay bytes without a limit', () => {
    expect(new ByteRate().take(1000 * MiB, 0)).toBe(0);
  });

  it('delays each chunk after the previous chunk', () => {
    const limit = new ByteRate(MiB);
    const waits = [0, 1, 2, 3].map(() => limit.take(MiB / 4, 1000));
    expect(waits).toEqual([0, 150, 400, 650]);
  });

  it('takes effect immediately after a change, for all later requests', () => {
    const limit = new ByteRate(MiB);
    limit.take(MiB, 0);
    limit.bytesPerSecond = 2 * MiB;
    expect(limit.take(MiB, 0)).toBe(900);
    expect(limit.take(MiB, 0)).toBe(1400);
    limit.bytesPerSecond = undefined;
    expect(limit.take(MiB, 0)).toBe(0);
  });

  it('is exceeded by at most 0.1 s and one chunk in any period', () => {
    const asks = fc.array(fc.record({ afterMs: fc.nat(500), bytes: fc.integer({ min: 1, max: MiB }) }), {
      minLength: 1,
      maxLength: 100,
    });
    fc.assert(
      fc.property(asks, fc.integer({ min: MiB / 8, max: 100 * MiB }), (list, bytesPerSecond) => {
        const limit = new ByteRate(bytesPerSecond);
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

  it('limits the number of parts to those that it can supply, at least one', () => {
    expect(mostPartsUnder(1)).toBe(1);
    expect(mostPartsUnder(MiB)).toBe(8);
  });
});

describe('reserveRequests', () => {
  it('permits 1/20 of the limit immediately after an idle period, and then one request at a time', () => {
    const rate = new Rate();
    const waits = reserveRequests(rate, 52, 1000, 1_000_000);
    expect(waits.slice(0, 50).every((wait) => wait === 0)).toBe(true);
    expect(waits.slice(50)).toEqual([67, 134]);
  });

  it('continues the rate of the previous execution', () => {
    const first = new Rate();
    reserveRequests(first, 60, 1000, 1_000_000);
    const second = new Rate(first.freeAtMs);
    expect(reserveRequests(second, 1, 1000, 1_000_000)).toEqual(reserveRequests(first, 1, 1000, 1_000_000));
  });

  it('never exceeds the limit per minute for any sequence of reservations', () => {
    const asks = fc.array(fc.record({ afterMs: fc.nat(20_000), count: fc.integer({ min: 1, max: 100 }) }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(asks, fc.integer({ min: 10, max: 3000 }), (list, perMinute) => {
        const rate = new Rate();
        let nowMs = 1_000_000;
        const moments: number[] = [];
        for (const { afterMs, count } of list) {
          nowMs += afterMs;
          const at = nowMs;
          moments.push(...reserveRequests(rate, count, perMinute, nowMs).map((wait) => at + wait));
        }
        return moments.every((moment, index) => (moments[index + perMinute] ?? Infinity) - moment >= 60_000);
      }),
    );
  });
});
