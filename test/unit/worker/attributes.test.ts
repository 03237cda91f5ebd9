import type { NativeConnection } from '@temporalio/worker';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { registeredAttributes } from '../../../src/core/show/attribute-registry.ts';
import { NamespaceAttributes } from '../../../src/worker/attributes.ts';

const all = Object.fromEntries(registeredAttributes.map(({ name, code }) => [name, code]));
const { LonghaulBytes: _bytes, ...some } = all;

/** A namespace that returns one list after the other. */
function namespaceOf(
  lists: readonly (Record<string, number> | Error)[],
  add: () => Promise<unknown> = async () => ({}),
) {
  let asked = 0;
  const added: object[] = [];
  const operatorService = {
    listSearchAttributes: async () => {
      const list = lists[Math.min(asked++, lists.length - 1)];
      if (list instanceof Error) throw list;
      return { customAttributes: list };
    },
    addSearchAttributes: ({ searchAttributes }: { readonly searchAttributes: object }) => {
      added.push(searchAttributes);
      return add();
    },
  };
  const connection = { operatorService, withDeadline: (_: number, call: () => Promise<unknown>) => call() };
  const attributes = new NamespaceAttributes(connection as unknown as NativeConnection, 'default');
  return { attributes, added, asked: () => asked };
}

describe('the search attributes of a namespace', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const minutes = (count: number) => vi.advanceTimersByTime(count * 60_000 + 1);

  it('are available if all are registered, with one query at a time', async () => {
    const { attributes, asked } = namespaceOf([all]);
    expect(await Promise.all([attributes.areKnown(), attributes.areKnown()])).toEqual([true, true]);
    expect(asked()).toBe(1);
  });

  it('are registered again after their removal, and used one minute later', async () => {
    const { attributes, added } = namespaceOf([all, some, all]);
    expect(await attributes.areKnown()).toBe(true);
    minutes(1);
    expect(await attributes.areKnown()).toBe(false);
    expect(added).toEqual([{ LonghaulBytes: 3 }]);
    minutes(1);
    expect(await attributes.areKnown()).toBe(false);
    minutes(1);
    expect(await attributes.areKnown()).toBe(true);
  });

  it('remain available while Temporal does not respond', async () => {
    const { attributes } = namespaceOf([all, new Error('unavailable'), all]);
    expect(await attributes.areKnown()).toBe(true);
    minutes(1);
    expect([await attributes.areKnown(), await attributes.areKnown()]).toEqual([true, true]);
  });

  it('are unavailable if one is missing or of another type, or if the worker is denied access', async () => {
    for (const list of [{}, some, { ...all, LonghaulBytes: 2 }, new Error('denied')]) {
      const { attributes, asked } = namespaceOf([list]);
      expect([await attributes.areKnown(), await attributes.areKnown()]).toEqual([false, false]);
      expect(asked()).toBe(1);
    }
  });

  it('are available one minute after their registration, when all servers have them', async () => {
    const { attributes } = namespaceOf([some, all]);
    expect(await attributes.areKnown()).toBe(false);
    minutes(1);
    expect(await attributes.areKnown()).toBe(false);
    minutes(1);
    expect(await attributes.areKnown()).toBe(true);
  });

  it('are registered if they are missing', async () => {
    const { attributes, added } = namespaceOf([some, all]);
    expect(await attributes.register()).toEqual([]);
    expect(added).toEqual([{ LonghaulBytes: 3 }]);
    expect(await attributes.areKnown()).toBe(false);
    minutes(2);
    expect(await attributes.areKnown()).toBe(true);
  });

  it('are reported if they cannot be registered, unless another worker has registered them', async () => {
    const denied = async () => Promise.reject(new Error('denied'));
    expect(await namespaceOf([some], denied).attributes.register()).toEqual(['LonghaulBytes']);
    expect(await namespaceOf([some, all], denied).attributes.register()).toEqual([]);
    const taken = namespaceOf([{ ...all, LonghaulBytes: 2 }]);
    expect(await taken.attributes.register()).toEqual(['LonghaulBytes']);
    expect(taken.added).toEqual([]);
    expect(await namespaceOf([new Error('denied')]).attributes.register()).toEqual([]);
  });
});
