import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openAiLimits } from '../../../src/contracts/limits.ts';
import { packSyncMemory } from '../../../activities/pack-sync-memory.ts';
import { packMemory, unpackMemory } from '../../../activities/sync/memory.ts';
import type { SyncScope } from '../../../src/contracts/plan-sync.ts';
import type { RememberedFile, SyncMemory } from '../../../src/contracts/sync.ts';
import { handoverProblems } from '../../../src/core/shape/carried.ts';
import { checkMemory, memoryOfResult } from '../../../src/core/sync/memory-shape.ts';
import { fullSync } from '../../support/full-request.ts';
import { mockActivity } from '../../support/mock-activity.ts';
import { generatedRuns } from '../../support/mutated.ts';

const scope: SyncScope = {
  source: { type: 'folder', path: '/data', host: 'h' },
  destination: 'default',
  purpose: 'batch',
  prefix: '',
  include: [],
  exclude: [],
};
const known: RememberedFile = {
  path: 'a/b.jsonl',
  sizeBytes: 10,
  version: 'v1',
  fileId: 'file-1',
  md5: 'd41d8cd98f00b204e9800998ecf8427e',
  createdAt: 1_790_000_000,
};
const row = [known.path, known.sizeBytes, known.version, known.fileId, known.md5, known.createdAt];
const memory = await packMemory(scope, [known]);
const { scope: mark } = JSON.parse(gunzipSync(Buffer.from(memory.data, 'base64')).toString()) as { scope: string };

const forged = (json: string): SyncMemory => ({ ...memory, data: gzipSync(json).toString('base64') });
const withRows = (...rows: unknown[]) => forged(JSON.stringify({ scope: mark, rows }));
const changed = (index: number, value: unknown) => row.map((cell, at) => (at === index ? value : cell));

describe('a forged memory of a sync', () => {
  it.each([
    ['64 MiB of one character', ' '.repeat(64 * 1024 * 1024)],
    ['16 MiB of nested arrays', '['.repeat(16 * 1024 * 1024)],
    ['16 MiB of small arrays', `{"scope":"${mark}","rows":[${'[],'.repeat(5_000_000)}[]]}`],
    ['100,001 rows', JSON.stringify({ scope: mark, rows: Array.from({ length: 100_001 }, () => row) })],
  ])('is ignored within bounded memory if it contains %s', async (_what, json) => {
    const packed = forged(json);
    const before = process.memoryUsage().rss;
    const { entries, problem } = await unpackMemory(scope, packed);
    expect(entries).toEqual([]);
    expect(problem).toMatch(/too large|too many rows|damaged/);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  });

  it.each<[string, unknown]>([
    ['text instead of an array', 'row'],
    ['a change time of another type', [...row, 7]],
    ['a change time of 65 characters', [...row, 'x'.repeat(65)]],
    ['too few cells', row.slice(0, 4)],
    ['a path of another type', changed(0, 7)],
    ['an empty path', changed(0, '')],
    ['a path of 4,097 characters', changed(0, 'x'.repeat(4097))],
    ['a control character in the path', changed(0, 'a\u0000b')],
    ['a lone surrogate in the path', changed(0, 'a\uD800b')],
    ['a negative size', changed(1, -1)],
    ['a size that is not a whole number', changed(1, 1.5)],
    ['a version of another type', changed(2, null)],
    ['a version of 1,025 characters', changed(2, 'x'.repeat(1025))],
    ['a File ID of another type', changed(3, 7)],
    ['a File ID of 513 characters', changed(3, 'x'.repeat(513))],
    ['an MD5 that is not hexadecimal', changed(4, 'z'.repeat(32))],
    ['a creation time of another type', changed(5, '2026')],
    ['a creation time that is out of range', changed(5, 1e300)],
  ])('is completely ignored if a row has %s', async (_what, invalid) => {
    expect(await unpackMemory(scope, withRows(row))).toEqual({ entries: [known] });
    const { entries, problem } = await unpackMemory(scope, withRows(row, invalid));
    expect(entries).toEqual([]);
    expect(problem).toBe('row 2 is invalid');
  });

  it('is ignored if a path appears twice', async () => {
    expect(await unpackMemory(scope, withRows(row, changed(3, 'file-2')))).toMatchObject({
      problem: 'row 2 repeats the path of an earlier row',
    });
  });

  it('never causes reading or packing to fail, for any bytes', async () => {
    const bytes = Buffer.from(memory.data, 'base64');
    const mutated = fc
      .array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((changes) => {
        const copy = Buffer.from(bytes);
        for (const [at, byte] of changes) copy[at] = byte;
        return { ...memory, data: copy.toString('base64') };
      });
    const content = fc.oneof(
      fc.json(),
      fc.array(fc.anything()).map((rows) => JSON.stringify({ scope: mark, rows })),
    );
    const any = fc.oneof(
      mutated,
      content.map(forged),
      fc.base64String().map((data) => ({ ...memory, data })),
      fc.anything() as fc.Arbitrary<SyncMemory>,
    );
    await fc.assert(
      fc.asyncProperty(any, async (value) => {
        const { entries } = await unpackMemory(scope, value);
        for (const entry of entries) expect(entry).toEqual(known);
        const packed = await mockActivity().run(packSyncMemory, { scope, memory: value, add: [known], remove: [] });
        expect(await unpackMemory(scope, packed as SyncMemory)).toEqual({ entries: [known] });
      }),
      { numRuns: generatedRuns(150) },
    );
  });
});

describe('packing a memory', () => {
  it('drops rows that unpacking would reject', async () => {
    const packed = await packMemory(scope, [known, { ...known, path: 'x', fileId: 'x'.repeat(600) }]);
    expect(packed).toMatchObject({ entries: 1, dropped: 1 });
    expect(await unpackMemory(scope, packed)).toEqual({ entries: [known] });
  });

  it('drops the oldest rows if the memory would be too large to unpack', async () => {
    const rows = Array.from({ length: 5000 }, (_, index) => ({ ...known, path: `${'x'.repeat(4000)}${index}` }));
    const packed = await packMemory(scope, rows);
    expect(packed.dropped).toBeGreaterThan(0);
    const { entries, problem } = await unpackMemory(scope, packed);
    expect(problem).toBeUndefined();
    expect(entries.at(-1)?.path).toBe(rows.at(-1)?.path);
  });
});

describe('the envelope of a memory', () => {
  it('is rebuilt without unknown properties, and rejected if it is too large', () => {
    expect(checkMemory({ ...memory, junk: 'x' })).toEqual({ memory });
    expect(checkMemory({ ...memory, data: 'x'.repeat(900_001) }).problem).toMatch(/too large/);
    expect(checkMemory(null)).toEqual({ memory: null });
  });

  it('is empty or rejected if the last run did not return the result of a sync', async () => {
    for (const result of [5, 'text', [], undefined, null]) expect(memoryOfResult(result)).toBeNull();
    const standIn = memoryOfResult({ memory: { ...memory, data: 'x'.repeat(900_001) } });
    expect(await unpackMemory(scope, standIn)).toMatchObject({ problem: 'its data is damaged' });
  });
});

describe('the state that a sync passes to its next execution', () => {
  const amount = { files: 1, bytes: 2 };
  const numbers = { same: 0, knownContent: 0, failed: 0, leftOut: 0, toDelete: 0, deleted: 0 };
  const carried = {
    request: fullSync({ source: { type: 'folder', path: '/a' }, purpose: 'batch' }),
    hasAttributes: false,
    limits: openAiLimits,
    planId: 'p',
    sentUpTo: null,
    uploadsDone: false,
    counts: { listed: amount, toSend: amount, sent: amount, ...numbers },
    problems: [],
    leftOut: [],
    uploadsFailed: 0,
    paused: false,
    startedAtMs: 1,
  };

  it('is rejected if a property is invalid', () => {
    expect(handoverProblems({ run: carried })).toEqual([]);
    for (const run of [5, { ...carried, problems: 5 }, { ...carried, memoryProblem: 7 }]) {
      expect(handoverProblems({ run })).toHaveLength(1);
    }
  });

  it('never causes the check to throw', () => {
    fc.assert(fc.property(fc.anything(), (value) => Array.isArray(handoverProblems({ run: value }))));
  });
});
