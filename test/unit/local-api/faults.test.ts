import { describe, expect, it } from 'vitest';
import { Faults, type FaultSpec } from '../../../src/local-api/faults.ts';
import type { ApiRoute } from '../../../src/local-api/router.ts';

function strikes(spec: FaultSpec, routes: readonly ApiRoute[]): boolean[] {
  const faults = new Faults();
  faults.add(spec);
  return routes.map((route) => faults.strike(route) !== undefined);
}

function times(count: number, route: ApiRoute): ApiRoute[] {
  return Array.from({ length: count }, () => route);
}

describe('Faults', () => {
  it('occur once without a count and a probability', () => {
    expect(strikes({ route: 'part', kind: 'reset' }, times(3, 'part'))).toEqual([true, false, false]);
  });

  it('occur as often as their count', () => {
    expect(strikes({ route: 'part', kind: 'reset', count: 2 }, times(3, 'part'))).toEqual([true, true, false]);
  });

  it('do not occur in the requests that they skip', () => {
    expect(strikes({ route: 'part', kind: 'reset', skip: 2 }, times(4, 'part'))).toEqual([false, false, true, false]);
  });

  it('occur only on their route', () => {
    expect(strikes({ route: 'part', kind: 'reset' }, ['create', 'complete', 'part'])).toEqual([false, false, true]);
  });

  it('occur on every route with "*"', () => {
    expect(strikes({ route: '*', kind: 'reset', count: 2 }, ['create', 'list'])).toEqual([true, true]);
  });

  it('occur in the same requests with the same seed', () => {
    const spec = { route: 'part', kind: 'reset', probability: 0.3, seed: 7 } as const;
    const first = strikes(spec, times(200, 'part'));
    expect(strikes(spec, times(200, 'part'))).toEqual(first);
    expect(strikes({ ...spec, seed: 8 }, times(200, 'part'))).not.toEqual(first);
    const share = first.filter(Boolean).length / first.length;
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.4);
  });

  it('are used in order: the next one after the count of the first', () => {
    const faults = new Faults();
    faults.add({ route: 'part', kind: 'reset' });
    faults.add({ route: 'part', kind: 'stall' });
    expect([faults.strike('part')?.kind, faults.strike('part')?.kind]).toEqual(['reset', 'stall']);
    expect(faults.list().map((fault) => fault.fired)).toEqual([1, 1]);
  });

  it('are removed by clear()', () => {
    const faults = new Faults();
    faults.add({ route: '*', kind: 'reset' });
    faults.clear();
    expect(faults.strike('part')).toBeUndefined();
    expect(faults.list()).toEqual([]);
  });

  it.each([
    [{ route: 'nowhere', kind: 'reset' }],
    [{ route: 'part', kind: 'explode' }],
    [{ route: 'part', kind: 'status', status: 99 }],
    [{ route: 'part', kind: 'reset', probability: 2 }],
    [{ route: 'part', kind: 'reset', count: 0 }],
    [{ route: 'create', kind: 'expire' }],
    [{ route: 'part', kind: 'reset', surprise: true }],
  ])('are rejected if they are invalid: %j', (spec) => {
    expect(() => new Faults().add(spec as FaultSpec)).toThrow();
  });
});
