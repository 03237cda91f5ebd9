import { describe, expect, it } from 'vitest';
import type { PlannedUpload } from '../../../../src/contracts/batch.ts';
import type { SyncDecision } from '../../../../src/contracts/sync.ts';
import type { SyncLists, SyncWork } from '../../../../activities/sync/lists.ts';
import { changesOf, packPlanned } from '../../../../activities/sync/planned.ts';

const uploadOf = (path: string, sizeBytes = 10): SyncWork => ({
  path,
  upload: { path, sizeBytes } as PlannedUpload,
});

const decisionOf = (path: string, why: 'new' | 'same' | 'known-content') => ({ path, why }) as SyncDecision;

const problemOf = (path: string) => ({ path, failureType: 'SourceUnusable', message: '' });

function listsOf(lists: Partial<SyncLists>): SyncLists {
  const undecided = { problems: [], leftOut: [], postponed: [] };
  return { work: [], decisions: [], undecided, isListed: () => false, ...lists } as unknown as SyncLists;
}

async function changes(before: readonly SyncWork[], after: string | null, lists: SyncLists) {
  return changesOf((await packPlanned(before)) ?? '', after, lists);
}

describe('the comparison of new lists with the planned uploads', () => {
  it('reports each planned file that is missing, after the place of the batch', async () => {
    const before = ['a', 'b', 'c', 'd'].map((path) => uploadOf(path));
    const found = await changes(before, 'a', listsOf({ work: [uploadOf('c')], decisions: [decisionOf('c', 'new')] }));
    expect(found?.problemCount).toBe(2);
    expect(found?.problems.map(({ path, failureType }) => [path, failureType])).toEqual([
      ['b', 'SourceMissing'],
      ['d', 'SourceMissing'],
    ]);
  });

  it('counts the files that are new in the lists', async () => {
    const work = [uploadOf('a'), uploadOf('b', 7)];
    const found = await changes([uploadOf('a')], null, listsOf({ work, decisions: [decisionOf('a', 'new')] }));
    expect(found).toMatchObject({ added: { files: 1, bytes: 7 }, problemCount: 0 });
  });

  it('counts the files that are at the destination already', async () => {
    const before = ['a', 'b'].map((path) => uploadOf(path));
    const decisions = [decisionOf('a', 'same'), decisionOf('b', 'known-content')];
    const found = await changes(before, null, listsOf({ decisions }));
    expect(found).toMatchObject({ same: 1, knownContent: 1, dropped: { files: 2, bytes: 20 }, problemCount: 0 });
  });

  it('keeps the report of a file that the new lists do not settle', async () => {
    const undecided = { problems: [problemOf('a')], leftOut: [problemOf('b')], postponed: [problemOf('c')] };
    const before = ['a', 'b', 'c'].map((path) => uploadOf(path));
    const found = await changes(before, null, listsOf({ undecided }));
    expect(found).toMatchObject({ problems: [{ path: 'a' }], leftOut: [{ path: 'b' }], postponed: [{ path: 'c' }] });
  });

  it('selects the first uploads within the limit, and counts no later file as new', async () => {
    const before = Array.from({ length: 500 }, (_, index) => uploadOf(String(index).padStart(5, '0')));
    const packed = (await packPlanned(before, 400)) ?? '';
    expect(packed.length).toBeLessThanOrEqual(400);
    const decisions = before.map(({ path }) => decisionOf(path, 'new'));
    expect(await changesOf(packed, null, listsOf({ work: before, decisions }))).toBeUndefined();
    expect((await changesOf(packed, null, listsOf({})))?.problemCount).toBeGreaterThan(50);
  });

  it.each(['', 'damaged', Buffer.from('[]').toString('base64')])('ignores the unreadable text "%s"', async (packed) => {
    expect(await changesOf(packed, null, listsOf({}))).toBeUndefined();
  });
});
