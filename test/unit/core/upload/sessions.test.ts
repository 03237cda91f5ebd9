import { describe, expect, it } from 'vitest';
import { SessionBudget } from '../../../../src/core/upload/sessions.ts';

describe('SessionBudget', () => {
  it('decreases with each session, except sessions that were lost while the upload waited', () => {
    const budget = new SessionBudget(() => 2);
    expect(budget.left).toBe(2);
    budget.open();
    budget.open();
    expect({ left: budget.left, opened: budget.opened }).toEqual({ left: 0, opened: 2 });
    budget.excuse();
    expect(budget.left).toBe(1);
  });

  it('counts the sessions whose IDs are unknown', () => {
    const budget = new SessionBudget(() => 3);
    budget.open(2);
    budget.open();
    expect(budget.orphaned).toBe(2);
  });

  it('ignores one incorrect MD5', () => {
    const budget = new SessionBudget(() => 3);
    expect([budget.forgiveWrongMd5(), budget.forgiveWrongMd5()]).toEqual([true, false]);
  });

  it('continues unchanged in the next execution', () => {
    const budget = new SessionBudget(() => 3);
    budget.open(1);
    budget.excuse();
    budget.forgiveWrongMd5();
    const carried = new SessionBudget(() => 3, budget.toJSON());
    expect(carried.toJSON()).toEqual(budget.toJSON());
    expect(carried.forgiveWrongMd5()).toBe(false);
  });
});
