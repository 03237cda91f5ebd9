import { describe, expect, it } from 'vitest';
import { ListLag } from '../../../src/local-api/list-lag.ts';

describe('ListLag', () => {
  const files = [{ id: 'old' }, { id: 'new' }];
  const ids = (lag: ListLag, nowMs: number) => lag.list(files, nowMs).map(({ id }) => id);

  it('lists a File after a time', () => {
    const lag = new ListLag();
    lag.added('new', { listLagMs: 100, listLagRequests: 0 }, 1000);
    expect([ids(lag, 1099), ids(lag, 1100), ids(lag, 1000)]).toEqual([['old'], ['old', 'new'], ['old', 'new']]);
  });

  it('lists a File after a number of lists', () => {
    const lag = new ListLag();
    lag.added('new', { listLagMs: 0, listLagRequests: 2 }, 1000);
    expect([ids(lag, 1000), ids(lag, 1000), ids(lag, 1000)]).toEqual([['old'], ['old'], ['old', 'new']]);
  });

  it('lists a File after both a time and a number of lists', () => {
    const lag = new ListLag();
    lag.added('new', { listLagMs: 100, listLagRequests: 1 }, 1000);
    expect([ids(lag, 2000), ids(lag, 1000), ids(lag, 1100)]).toEqual([['old'], ['old'], ['old', 'new']]);
  });
});
