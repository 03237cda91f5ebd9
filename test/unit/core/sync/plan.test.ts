import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeHeld } from '../../../../src/core/sync/reports.ts';
import type { RememberedFile } from '../../../../src/contracts/sync.ts';
import type { UploadedFile } from '../../../../src/contracts/upload.ts';
import { comparePaths, type ListedSource } from '../../../../src/core/sync/listed-source.ts';
import { SyncPlan } from '../../../../src/core/sync/plan.ts';
import { generatedRuns } from '../../../support/mutated.ts';

const CREATED_AT = 1_000_000;

function source(path: string, changes: Partial<ListedSource> = {}): ListedSource {
  return { path, sizeBytes: 10, mtimeMs: (CREATED_AT - 60) * 1000, fingerprint: 'f', version: 'v1', ...changes };
}

function file(id: string, filename: string, changes: Partial<UploadedFile> = {}): UploadedFile {
  return { id, filename, bytes: 10, createdAt: CREATED_AT, purpose: 'batch', ...changes };
}

function known(path: string, fileId: string, changes: Partial<RememberedFile> = {}): RememberedFile {
  return {
    path,
    fileId,
    sizeBytes: 10,
    version: 'v1',
    md5: `md5-of-${fileId}`,
    createdAt: CREATED_AT,
    ...changes,
  };
}

const why = (plan: SyncPlan, listed: ListedSource, name = listed.path) => plan.judge(listed, name)?.decision.why;

describe('a source', () => {
  it('is new if no File has its name', () => {
    expect(new SyncPlan([], []).judge(source('a'), 'p-a')).toEqual({
      decision: { action: 'upload', why: 'new', path: 'a', filename: 'p-a', bytes: 10 },
    });
  });

  it('is compared by name, size and time if its File is not in the memory', () => {
    const plan = new SyncPlan([file('1', 'a')], []);
    expect(plan.judge(source('a'), 'a')?.decision).toMatchObject({ action: 'skip', why: 'same', fileId: '1' });
    expect(why(plan, source('a', { sizeBytes: 11 }))).toBe('changed');
    expect(why(plan, source('a', { mtimeMs: CREATED_AT * 1000 }))).toBe('same');
    expect(why(plan, source('a', { mtimeMs: CREATED_AT * 1000 + 1 }))).toBe('changed');
  });

  it('is compared with the newest File of its name, the first in the list if the times are equal', () => {
    const files = [file('3', 'a', { bytes: 3 }), file('2', 'a'), file('1', 'a', { bytes: 99, createdAt: 5 })];
    const plan = new SyncPlan(files, []);
    expect(why(plan, source('a', { sizeBytes: 3 }))).toBe('same');
  });

  it('does not match the remembered File if the size of the File at the service differs', () => {
    const plan = (bytes: number) => new SyncPlan([file('1', 'before', { bytes })], [known('a', '1')]);
    expect(why(plan(10), source('a'), 'after')).toBe('known-content');
    expect(why(plan(12), source('a'), 'after')).not.toBe('known-content');
  });

  it('is unchanged if it matches the memory, regardless of clocks', () => {
    const plan = new SyncPlan([file('1', 'a')], [known('a', '1')]);
    expect(why(plan, source('a', { mtimeMs: (CREATED_AT + 60) * 1000 }))).toBe('same');
  });

  it('requires its MD5 if only its time differs from the memory', () => {
    const plan = new SyncPlan([file('1', 'a')], [known('a', '1')]);
    const touched = source('a', { version: 'v2' });
    expect(plan.judge(touched, 'a')).toBeUndefined();
    expect(plan.settle(touched, 'a', 'md5-of-1')).toEqual({
      decision: { action: 'skip', why: 'known-content', path: 'a', filename: 'a', bytes: 10, fileId: '1' },
      remember: known('a', '1', { version: 'v2' }),
    });
    expect(plan.settle(touched, 'a', 'other').decision).toMatchObject({ action: 'upload', why: 'changed' });
    expect(plan.settle(touched, 'a', 'other').remember).toBeUndefined();
  });

  it('is changed if its File has no MD5, or another program uploaded a newer File', () => {
    const touched = source('a', { version: 'v2' });
    expect(why(new SyncPlan([file('1', 'a')], [known('a', '1', { md5: null })]), touched)).toBe('changed');
    const newer = file('2', 'a', { createdAt: CREATED_AT + 9, bytes: 12 });
    expect(why(new SyncPlan([newer, file('1', 'a')], [known('a', '1')]), source('a'))).toBe('changed');
  });

  it('is recognised under a new name by its MD5, and by the memory in the next run', () => {
    const plan = new SyncPlan([file('1', 'a')], [known('a', '1')]);
    expect(plan.judge(source('b'), 'b')).toBeUndefined();
    const { decision, remember } = plan.settle(source('b'), 'b', 'md5-of-1');
    expect(decision).toMatchObject({ action: 'skip', why: 'known-content', fileId: '1' });
    const next = new SyncPlan([file('1', 'a')], [known('a', '1'), remember as RememberedFile]);
    expect(next.judge(source('b'), 'b')?.decision).toEqual(decision);
    expect(plan.settle(source('b'), 'b', 'other').decision.why).toBe('new');
  });

  it('is sent if the File of its name has other content, although another File has the same bytes', () => {
    const plan = new SyncPlan([file('1', 'a'), file('2', 'b')], [known('a', '1'), known('b', '2')]);
    expect(plan.settle(source('b', { version: 'v2' }), 'b', 'md5-of-1').decision.why).toBe('changed');
  });

  describe('whose size and time match the memory', () => {
    const remembered = known('a', '1', { change: 'c1' });
    const plan = new SyncPlan([file('1', 'a')], [remembered]);
    const rewritten = source('a', { change: 'c2' });

    it('is unchanged without a read if its change time and inode match too', () => {
      const verdict = plan.judge(source('a', { change: 'c1' }), 'a');
      expect(verdict).toEqual({ decision: expect.objectContaining({ why: 'same' }) });
    });

    it('requires its MD5 if its change time or inode differs, and the memory stores the new value', () => {
      expect(plan.judge(rewritten, 'a')).toBeUndefined();
      const { decision, remember } = plan.settle(rewritten, 'a', 'md5-of-1');
      expect(decision).toMatchObject({ action: 'skip', why: 'known-content' });
      expect(remember).toEqual({ ...remembered, change: 'c2' });
      expect(why(new SyncPlan([file('1', 'a')], [remember as RememberedFile]), rewritten)).toBe('same');
      expect(plan.settle(rewritten, 'a', 'other').decision).toMatchObject({ action: 'upload', why: 'changed' });
    });

    it('is unchanged without a read for a memory of an earlier version, which then stores its change time', () => {
      const earlier = new SyncPlan([file('1', 'a')], [known('a', '1')]);
      expect(earlier.judge(rewritten, 'a')).toEqual({
        decision: expect.objectContaining({ why: 'same' }),
        remember: known('a', '1', { change: 'c2' }),
      });
    });

    it('is unchanged if its File was uploaded without an MD5', () => {
      const unchecked = new SyncPlan([file('1', 'a')], [known('a', '1', { md5: null, change: 'c1' })]);
      expect(unchecked.judge(rewritten, 'a')).toEqual({ decision: expect.objectContaining({ why: 'same' }) });
    });

    it('is unchanged after a remount if only the inode differs, which the request ignores', () => {
      const listed = [file('1', 'a')];
      const entry = known('a', '1', { change: 'c1.i1' });
      const plans = [false, true].map((ignoreInode) => new SyncPlan(listed, [entry], { ignoreInode }));
      expect(plans.map((one) => one.judge(source('a', { change: 'c1.i2' }), 'a')?.decision.why)).toEqual([
        undefined,
        'same',
      ]);
      expect(plans.map((one) => one.judge(source('a', { change: 'c2.i1' }), 'a'))).toEqual([undefined, undefined]);
    });

    it('is compared by its time if its File is not in the memory', () => {
      expect(why(new SyncPlan([file('1', 'a')], []), rewritten)).toBe('same');
    });
  });

  describe('compared by content', () => {
    const entry = known('a', '1', { change: 'c1' });
    const listed = [file('1', 'a')];
    const plan = new SyncPlan(listed, [entry], { checksum: true });
    const untouched = source('a', { change: 'c1' });

    it('is read also if its size, times and inode match the memory', () => {
      expect(plan.judge(untouched, 'a')).toBeUndefined();
      expect(plan.settle(untouched, 'a', 'md5-of-1')).toEqual({ decision: expect.objectContaining({ why: 'same' }) });
      expect(plan.settle(untouched, 'a', 'other').decision).toMatchObject({ action: 'upload', why: 'changed' });
    });

    it('is not resent if only its time changed, and the memory stores the new time', () => {
      const touched = source('a', { version: 'v2', mtimeMs: CREATED_AT * 2000 });
      expect(plan.judge(touched, 'a')).toBeUndefined();
      const { decision, remember } = plan.settle(touched, 'a', 'md5-of-1');
      expect(decision).toMatchObject({ action: 'skip', why: 'known-content' });
      expect(remember).toMatchObject({ version: 'v2', fileId: '1' });
    });

    it('is read under a name without a File if its remembered File has another name', () => {
      const renamed = new SyncPlan([file('1', 'before')], [entry], { checksum: true });
      expect(renamed.judge(untouched, 'a')).toBeUndefined();
      expect(renamed.settle(untouched, 'a', 'other').decision.why).toBe('new');
      expect(renamed.settle(untouched, 'a', 'md5-of-1')).toEqual({
        decision: expect.objectContaining({ why: 'known-content', fileId: '1' }),
      });
    });

    it('is sent without a read if its size differs', () => {
      expect(why(plan, source('a', { sizeBytes: 11 }))).toBe('changed');
    });

    it('is compared by size and time if the MD5 of its File is unknown', () => {
      const unknown = [new SyncPlan(listed, [], { checksum: true })];
      expect(unknown.map((one) => why(one, untouched))).toEqual(['same']);
      expect(unknown.map((one) => why(one, source('a', { mtimeMs: CREATED_AT * 2000 })))).toEqual(['changed']);
      const without = new SyncPlan(listed, [known('a', '1', { md5: null })], { checksum: true });
      expect(why(without, source('a'))).toBe('same');
      expect(why(without, source('a', { version: 'v2' }))).toBe('changed');
    });
  });

  it('is new if its remembered File is no longer at the destination', () => {
    expect(why(new SyncPlan([], [known('a', '1')]), source('a'))).toBe('new');
  });
});

describe('a File', () => {
  const files = [file('1', 'a'), file('2', 'b'), file('9', 'foreign')];
  const remembered = [known('a', '1'), known('b', '2'), known('c', '3')];

  const gone = (plan: SyncPlan, isListed: (path: string) => boolean, recognised: readonly RememberedFile[] = []) =>
    plan.gone({ isListed, nameOf: (path) => path, recognised });
  const nothing = { deletions: [], held: [] };

  it('is deleted if this sync uploaded it and its source is deleted', () => {
    const plan = new SyncPlan(files, remembered);
    expect(gone(plan, (path) => path === 'a')).toEqual({
      deletions: [{ path: 'b', fileId: '2', expected: { filename: 'b', bytes: 10, createdAt: CREATED_AT } }],
      held: [],
    });
    expect(plan.forgettable((path) => path === 'a').map(({ path }) => path)).toEqual(['c']);
    expect(plan.forgettable(() => true)).toEqual([]);
  });

  it('is kept while another source path has it', () => {
    const isListed = (path: string) => path !== 'b';
    expect(gone(new SyncPlan(files, [...remembered, known('moved', '2')]), isListed)).toEqual(nothing);
    expect(gone(new SyncPlan(files, remembered), isListed, [known('moved', '2')])).toEqual(nothing);
  });

  it('is deleted once if two paths had it, by the path that matches its name', () => {
    const plan = new SyncPlan([file('1', 'a')], [known('b', '1'), known('a', '1')]);
    expect(gone(plan, () => false)).toMatchObject({ deletions: [{ fileId: '1', path: 'a' }], held: [] });
  });

  it.each([
    ['name', known('other', '1')],
    ['size', known('a', '1', { sizeBytes: 11 })],
    ['creation time', known('a', '1', { createdAt: CREATED_AT - 1 })],
    ['no creation time', { path: 'a', fileId: '1', sizeBytes: 10, version: 'v1', md5: null }],
  ])('is kept, with the reason, if the memory does not match: %s', (what, entry) => {
    const held = [{ fileId: '1', why: what }];
    expect(gone(new SyncPlan(files, [entry]), () => false)).toEqual({ deletions: [], held });
  });

  it('is kept if a file that is postponed to the next run might be its moved source', () => {
    const query = { isListed: () => false, nameOf: (path: string) => path, postponedSizes: new Set([10]) };
    const { deletions, held } = new SyncPlan(files, [known('a', '1')]).gone(query);
    expect({ deletions, held }).toEqual({ deletions: [], held: [{ fileId: '1', why: 'postponed' }] });
    expect(describeHeld(held)).toBe(
      'kept 1 File (1) of the size of a file that is postponed to the next run, which can be their moved source',
    );
    expect(new SyncPlan(files, [known('a', '1')]).gone({ ...query, postponedSizes: new Set([11]) }).held).toEqual([]);
  });

  it('is added to the memory with its creation time if its source is unchanged', () => {
    const { createdAt, ...older } = known('a', '1');
    const plan = new SyncPlan(files, [older]);
    expect(plan.judge(source('a'), 'a')).toMatchObject({
      decision: { why: 'same' },
      remember: { ...older, createdAt },
    });
    expect(new SyncPlan(files, [known('a', '1')]).judge(source('a'), 'a')?.remember).toBeUndefined();
  });

  it('is never deleted by a forged memory, unless name, size and creation time match', () => {
    const entry = fc.record({
      path: fc.constantFrom('a', 'b', 'foreign', 'x'),
      fileId: fc.constantFrom('1', '2', '9', 'none'),
      sizeBytes: fc.constantFrom(10, 11),
      version: fc.constantFrom('v1', 'v2'),
      md5: fc.constantFrom(null, 'md5-of-1', 'md5-of-9'),
      createdAt: fc.constantFrom(CREATED_AT, CREATED_AT + 1),
    });
    fc.assert(
      fc.property(fc.array(entry), fc.array(entry), fc.func(fc.boolean()), (forged, recognised, isListed) => {
        const { deletions, held } = gone(new SyncPlan(files, forged), isListed, recognised);
        for (const { path, fileId, expected } of deletions) {
          const target = files.find(({ id }) => id === fileId);
          const row = [...forged, ...recognised].findLast((one) => one.path === path);
          expect(isListed(path)).toBe(false);
          expect(row).toMatchObject({ fileId, sizeBytes: target?.bytes, createdAt: target?.createdAt });
          expect(expected).toEqual({ filename: path, bytes: target?.bytes, createdAt: target?.createdAt });
          expect(target?.filename).toBe(path);
        }
        const ids = [...deletions, ...held].map(({ fileId }) => fileId);
        expect(new Set(ids).size).toBe(ids.length);
      }),
      { numRuns: generatedRuns(500) },
    );
  });

  it('is listed in the order of paths', () => {
    expect(['b', 'a', 'a', 'B'].toSorted(comparePaths)).toEqual(['B', 'a', 'a', 'b']);
  });
});
