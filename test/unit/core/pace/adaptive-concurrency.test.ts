import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AdaptiveConcurrency, AutoConcurrency } from '../../../../src/core/pace/adaptive-concurrency.ts';

const MiB = 1024 * 1024;
const CHUNK_BYTES = MiB / 2;

interface SimulatedLink {
  /** Bytes per second of a number of connections together. */
  readonly speed: (connections: number) => number;
  /** Milliseconds from a part's last byte to its answer. */
  readonly waitMs?: (connections: number, atMs: number) => number;
  /** Maximum parts that are sent. @defaultValue the limit */
  readonly work?: number;
  /** Times at which the destination rejects parts. */
  readonly refusalsMs?: readonly number[];
}

/** Sends over the link for a time, and returns the selected limits in order. */
function run(concurrency: AdaptiveConcurrency, link: SimulatedLink, forMs: number, fromMs = 1000): number[] {
  const limits = [concurrency.limit];
  const refusals = [...(link.refusalsMs ?? [])];
  let sinceAnswer = 0;
  for (let nowMs = fromMs; nowMs < fromMs + forMs;) {
    const inFlight = Math.min(concurrency.limit, link.work ?? Infinity);
    nowMs += (CHUNK_BYTES / link.speed(inFlight)) * 1000;
    if (refusals.length > 0 && nowMs >= (refusals[0] as number)) {
      refusals.shift();
      concurrency.refused(nowMs);
    }
    if (++sinceAnswer % 16 === 0) concurrency.answered(link.waitMs?.(inFlight, nowMs) ?? 20);
    concurrency.sent(CHUNK_BYTES, inFlight, nowMs);
    if (concurrency.limit !== limits.at(-1)) limits.push(concurrency.limit);
  }
  return limits;
}

/** Each connection carries a little, as one with a window and a delay, until the link is full. */
const window = (eachBytes: number, wholeBytes: number) => (connections: number) =>
  Math.min(connections * eachBytes, wholeBytes);

describe('adaptive concurrency', () => {
  it('increases to its maximum while the rate increases', () => {
    expect(run(new AdaptiveConcurrency(), { speed: window(40 * MiB, 10_000 * MiB) }, 20_000)).toEqual([8, 16, 32]);
  });

  it('returns to the previous number without a gain, and retries at increasing intervals', () => {
    const limits = run(new AdaptiveConcurrency(), { speed: window(20 * MiB, 125 * MiB) }, 300_000);
    expect(limits.slice(0, 3)).toEqual([8, 16, 8]);
    expect(limits.length).toBeLessThan(13);
    expect(new Set(limits)).toEqual(new Set([8, 16]));
  });

  it('detects an increased bandwidth', () => {
    const concurrency = new AdaptiveConcurrency();
    run(concurrency, { speed: window(20 * MiB, 125 * MiB) }, 10_000);
    expect(concurrency.limit).toBe(8);
    run(concurrency, { speed: window(20 * MiB, 2000 * MiB) }, 120_000, 11_000);
    expect(concurrency.limit).toBe(AutoConcurrency.ceiling);
  });

  it('does not change with fewer parts than it permits', () => {
    expect(run(new AdaptiveConcurrency(), { speed: window(40 * MiB, 10_000 * MiB), work: 3 }, 60_000)).toEqual([8]);
  });

  it('halves once for all rejected parts, and increases one by one', () => {
    const refusalsMs = [3000, 3100, 3200, 3900];
    const speed = window(20 * MiB, 125 * MiB);
    expect(run(new AdaptiveConcurrency(), { speed, refusalsMs }, 20_000)).toEqual([8, 4, 5, 6, 7]);
  });

  it('never falls below its minimum', () => {
    const concurrency = new AdaptiveConcurrency();
    for (let nowMs = 0; nowMs < 60_000; nowMs += 2000) concurrency.refused(nowMs);
    expect(concurrency.limit).toBe(AutoConcurrency.floor);
  });

  it('falls by a quarter if responses become slow without a gain', () => {
    const waitMs = (_connections: number, atMs: number) => (atMs < 12_000 ? 50 : 3000);
    const concurrency = new AdaptiveConcurrency();
    run(concurrency, { speed: window(20 * MiB, 125 * MiB), waitMs }, 19_000);
    expect(concurrency.limit).toBeLessThan(8);
    expect(concurrency.limit).toBeGreaterThanOrEqual(4);
  });

  it('reaches at least 90% of the best fixed number on any link', () => {
    const links = fc.record({
      eachMib: fc.integer({ min: 1, max: 200 }),
      wholeMib: fc.integer({ min: 10, max: 3000 }),
    });
    fc.assert(
      fc.property(links, ({ eachMib, wholeMib }) => {
        const speed = window(eachMib * MiB, wholeMib * MiB);
        const concurrency = new AdaptiveConcurrency();
        run(concurrency, { speed }, 60_000);
        const best = Math.max(...[1, 4, 16].map(speed));
        expect(speed(concurrency.limit)).toBeGreaterThanOrEqual(0.9 * best);
      }),
    );
  });

  it('always stays between minimum and maximum', () => {
    const events = fc.array(
      fc.record({ kind: fc.constantFrom('sent', 'refused', 'answered'), value: fc.nat(10_000), afterMs: fc.nat(3000) }),
    );
    fc.assert(
      fc.property(events, (list) => {
        const concurrency = new AdaptiveConcurrency();
        let nowMs = 0;
        for (const { kind, value, afterMs } of list) {
          nowMs += afterMs;
          if (kind === 'sent') concurrency.sent(value * 10_000, value % 40, nowMs);
          else if (kind === 'refused') concurrency.refused(nowMs);
          else concurrency.answered(value);
          expect(concurrency.limit).toBeGreaterThanOrEqual(AutoConcurrency.floor);
          expect(concurrency.limit).toBeLessThanOrEqual(AutoConcurrency.ceiling);
        }
      }),
    );
  });
});
