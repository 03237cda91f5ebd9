import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestBudget } from '../../../../src/core/pace/request-budget.ts';

describe('the budget of requests', () => {
  it('lets a twentieth of a minute go at once after a rest, and the others one by one', () => {
    const budget = new RequestBudget();
    const waits = budget.reserve(52, 1000, 1_000_000);
    expect(waits.slice(0, 50).every((wait) => wait === 0)).toBe(true);
    expect(waits.slice(50)).toEqual([67, 134]);
  });

  it('goes on from another one', () => {
    const first = new RequestBudget();
    first.reserve(60, 1000, 1_000_000);
    const second = new RequestBudget(first.nextMs);
    expect(second.reserve(1, 1000, 1_000_000)).toEqual(first.reserve(1, 1000, 1_000_000));
  });

  it('never has more in a minute than is allowed, whoever asks when and for how many', () => {
    const asks = fc.array(fc.record({ afterMs: fc.nat(20_000), count: fc.integer({ min: 1, max: 100 }) }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(asks, fc.integer({ min: 10, max: 3000 }), (list, perMinute) => {
        const budget = new RequestBudget();
        let nowMs = 1_000_000;
        const moments: number[] = [];
        for (const { afterMs, count } of list) {
          nowMs += afterMs;
          const at = nowMs;
          moments.push(...budget.reserve(count, perMinute, nowMs).map((wait) => at + wait));
        }
        return moments.every((moment, index) => (moments[index + perMinute] ?? Infinity) - moment >= 60_000);
      }),
    );
  });
});
