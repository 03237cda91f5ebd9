import { describe, expect, it } from 'vitest';
import { createComparison } from '../../../../activities/sync/create-comparison.ts';
import type { SyncScope } from '../../../../src/contracts/plan-sync.ts';
import type { Listing } from '../../../../src/sources/listing/listing.ts';
import type { Sources } from '../../../../src/sources/sources.ts';
import { mockDestination } from '../../../support/mock-activity.ts';

const scope: SyncScope = {
  source: { type: 'folder', path: '/data' },
  destination: 'default',
  purpose: 'batch',
  prefix: '',
  include: [],
  exclude: [],
};

const complete: Listing = {
  entries: [{ path: 'a', sizeBytes: 2, mtimeMs: 1, fingerprint: 'f', version: 'v' }],
  problems: [],
  leftOut: [],
  unseen: [],
  isComplete: true,
};

describe('the deletions of a sync', () => {
  it.each<[string, Partial<Listing>, number, string | null]>([
    ['are planned if both sides are listed completely', {}, 0, null],
    [
      'are omitted if some of the source cannot be listed',
      { isComplete: false },
      0,
      'some of the source cannot be listed',
    ],
    ['are omitted if a row of the files list is unreadable', {}, 1, '1 row of the files list cannot be read'],
    ['are omitted if rows of the files list are unreadable', {}, 2, '2 rows of the files list cannot be read'],
    ['are omitted if the source is empty', { entries: [] }, 0, 'the source contains no file, like an unmounted folder'],
  ])('%s', async (_, changes, unreadableRows, reason) => {
    const unreadable = Array.from({ length: unreadableRows });
    const page = { files: [], unreadable, hasMore: false, nextAfter: undefined };
    const client = mockDestination({ list: () => Promise.resolve(page as never) });
    const sources = { list: () => Promise.resolve({ ...complete, ...changes }) } as unknown as Sources;
    const { signal } = new AbortController();
    const comparison = await createComparison({ scope, memory: null }, { client, sources, signal });
    expect(comparison.lists().deletionsHeld).toBe(reason);
  });
});
