import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { packSyncMemory } from '../../../../activities/pack-sync-memory.ts';
import { SyncListsCache } from '../../../../activities/sync/lists-cache.ts';
import type { SyncComparison } from '../../../../activities/sync/comparison.ts';
import { packMemory, unpackMemory } from '../../../../activities/sync/memory.ts';
import { shapeOf } from '../../../../activities/sync/memory-rows.ts';
import type { SyncScope } from '../../../../src/contracts/plan-sync.ts';
import type { RememberedFile } from '../../../../src/contracts/sync.ts';
import { mockActivity } from '../../../support/mock-activity.ts';

const scope: SyncScope = {
  source: { type: 'folder', path: '/data', host: 'h' },
  destination: 'default',
  purpose: 'batch',
  prefix: '',
  include: [],
  exclude: [],
};

function entries(count: number): RememberedFile[] {
  return Array.from({ length: count }, (_, index) => ({
    path: `folder/${index}.jsonl`,
    sizeBytes: 1000 + index,
    version: (1_790_000_000_000_000_000n + BigInt(index)).toString(36),
    fileId: `file-${randomBytes(12).toString('hex')}`,
    md5: randomBytes(16).toString('hex'),
    createdAt: 1_790_000_000 + index,
  }));
}

describe('the memory of a sync', () => {
  it('is unpacked unchanged for the same source and prefix, with any globs', async () => {
    const known = entries(50);
    const memory = await packMemory(scope, known);
    expect(memory).toMatchObject({ entries: 50, dropped: 0 });
    expect(await unpackMemory({ ...scope, include: ['*.x'] }, memory)).toEqual({ entries: known });
    const bucket: SyncScope = { ...scope, source: { type: 's3', bucket: 'b', prefix: 'p' } };
    expect(await unpackMemory(bucket, await packMemory(bucket, known))).toEqual({ entries: known });
  });

  it('keeps change times, also of entries without a creation time', async () => {
    const [a, b, c] = entries(3) as [RememberedFile, RememberedFile, RememberedFile];
    const { createdAt: _createdAt, ...earlier } = b;
    const known = [{ ...a, change: '-5.1' }, { ...earlier, change: '0.z' }, c];
    expect(await unpackMemory(scope, await packMemory(scope, known))).toEqual({ entries: known });
  });

  it('is empty for another source or destination, if it is damaged, or if it is missing', async () => {
    const memory = await packMemory(scope, entries(3));
    expect(await unpackMemory({ ...scope, prefix: 'p' }, memory)).toEqual({ entries: [] });
    expect(await unpackMemory({ ...scope, source: { type: 'folder', path: '/other' } }, memory)).toEqual({
      entries: [],
    });
    expect(await unpackMemory(scope, { ...memory, data: memory.data.slice(0, 40) })).toEqual({
      entries: [],
      problem: 'its data is damaged',
    });
    expect(await unpackMemory(scope, { ...memory, format: 'other' as 'gzip-rows-1' })).toEqual({
      entries: [],
      problem: 'its format is unknown',
    });
    expect(await unpackMemory(scope, null)).toEqual({ entries: [] });
  });

  it('drops the oldest entries if it is too large', async () => {
    const known = entries(2000);
    const memory = await packMemory(scope, known, 50_000);
    expect(memory.data.length).toBeLessThanOrEqual(50_000);
    expect(memory.entries).toBeGreaterThan(400);
    expect(memory.dropped).toBe(2000 - memory.entries);
    expect(await unpackMemory(scope, memory)).toEqual({ entries: known.slice(-memory.entries) });
  });

  it('adds the results of a run, newest last, and omits removed paths', async () => {
    const [a, b, c] = entries(3) as [RememberedFile, RememberedFile, RememberedFile];
    const memory = await packMemory(scope, [a, b, c]);
    const renewed = { ...a, fileId: 'file-new' };
    const input = { scope, memory, add: [renewed], remove: [b.path] };
    const packed = await mockActivity().run(packSyncMemory, input);
    expect(await unpackMemory(scope, packed as Awaited<ReturnType<typeof packMemory>>)).toEqual({
      entries: [c, renewed],
    });
  });
});

describe('the cache of lists of a worker', () => {
  const lists = (size: number) => ({ entries: size }) as SyncComparison;

  it('keeps the lists that were used last, within its limit', () => {
    const cache = new SyncListsCache();
    cache.set('a', lists(150_000));
    cache.set('b', lists(150_000));
    expect(cache.get('a')).toBeDefined();
    cache.set('c', lists(150_000));
    expect(cache.get('b')).toBeUndefined();
    expect(cache.get('a')).toBeDefined();
    cache.set('huge', lists(400_001));
    expect(cache.get('huge')).toBeUndefined();
    expect(cache.get('c')).toBeDefined();
  });
});

it('ignores brackets in the strings of a memory, also after an escaped quote', () => {
  const text = JSON.stringify([{ 'a"[{': '\\"[[\\' }, []]);
  expect(shapeOf(Buffer.from(text))).toEqual({ containers: 3, depth: 2 });
});
