import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linesIn, MAX_LINE_BYTES } from '../../../../activities/sync/manifest/lines.ts';
import { packedRows } from '../../../../activities/sync/memory-rows.ts';
import { KnownFiles } from '../../../../src/core/sync/known-files.ts';
import { SyncManifest } from '../../../../activities/sync/manifest/manifest.ts';
import { withoutManifest } from '../../../../activities/sync/manifest/own-files.ts';
import { lineOf, parseRow } from '../../../../activities/sync/manifest/rows.ts';
import type { SyncScope } from '../../../../src/contracts/plan-sync.ts';
import type { RememberedFile } from '../../../../src/contracts/sync.ts';
import { openFileManifest } from '../../../../src/sources/manifest/file-store.ts';
import { Sources } from '../../../../src/sources/sources.ts';
import { generatedRuns, strangeNumbers, strangeTexts } from '../../../support/mutated.ts';
import { withTempDir } from '../../../support/temp-dir.ts';

const { signal } = new AbortController();

const scope: SyncScope = {
  source: { type: 'folder', path: '/data' },
  destination: 'default',
  purpose: 'batch',
  prefix: '',
  include: [],
  exclude: [],
};

const MD5 = 'd41d8cd98f00b204e9800998ecf8427e';

function entry(path: string, changes: Partial<RememberedFile> = {}): RememberedFile {
  const version = 1_790_000_000_123_456_789n.toString(36);
  return { path, sizeBytes: 5, version, fileId: `file-${path}`, md5: MD5, createdAt: 1_790_000_000, ...changes };
}

async function rowsOf(manifest: SyncManifest, stop: AbortSignal): Promise<RememberedFile[]> {
  const known = new KnownFiles([], packedRows());
  await manifest.read((one) => known.remember(one), stop);
  return [...known.entries([])];
}

async function open(path: string, changes: Partial<SyncScope> = {}) {
  const place = { type: 'file', path } as const;
  const store = await new Sources({ any: true }).manifest(place);
  const manifest = new SyncManifest(store, { ...scope, manifest: place, ...changes });
  return {
    read: (stop: AbortSignal) => rowsOf(manifest, stop),
    record: (...args: Parameters<SyncManifest['record']>) => manifest.record(...args),
  };
}

const withManifest = (body: (path: string) => Promise<void>) =>
  withTempDir((directory) => body(join(directory, 'sync.jsonl')));

const row = (path: string, changes: object = {}) =>
  JSON.stringify({
    path,
    size: 5,
    time: '2026-09-21T15:33:20.123456789Z',
    md5: MD5,
    fileId: `file-${path}`,
    ...changes,
  });

describe('a manifest', () => {
  it('has one JSON line for each File, with path, size, time, MD5 and File ID', () =>
    withManifest(async (path) => {
      const manifest = await open(path);
      expect(await manifest.read(signal)).toEqual([]);
      await manifest.record({ add: [entry('a/b.jsonl', { change: 'c.1' }), entry('é')], remove: [] }, signal);
      const lines = (await readFile(path, 'utf8')).split('\n');
      expect(lines.slice(1)).toEqual([expect.stringContaining('"path":"é"'), '']);
      expect(JSON.parse(lines[0] as string)).toEqual({
        path: 'a/b.jsonl',
        size: 5,
        time: '2026-09-21T14:13:20.123456789Z',
        md5: MD5,
        fileId: 'file-a/b.jsonl',
        createdAt: 1_790_000_000,
        change: 'c.1',
        purpose: 'batch',
        source: '/data',
      });
      expect(await manifest.read(signal)).toEqual([entry('a/b.jsonl', { change: 'c.1' }), entry('é')]);
      expect(await readdir(join(path, '..'))).toEqual(['sync.jsonl']);
    }));

  it('replaces, adds and removes rows, and does not change other rows', () =>
    withManifest(async (path) => {
      const other = row('a', { purpose: 'evals', extra: 1 });
      await writeFile(path, `\uFEFF${row('a')}\r\n\r\n${other}\r\n${row('b', { mine: true })}\n${row('c')}`);
      const manifest = await open(path);
      const remove = [
        { path: 'c', fileId: 'file-c' },
        { path: 'b', fileId: 'another File' },
      ];
      await manifest.record({ add: [entry('d'), entry('a', { fileId: 'new' })], remove }, signal);
      const lines = (await readFile(path, 'utf8')).split('\n');
      expect(lines.map((line) => (line === '' ? '' : (JSON.parse(line) as { fileId: string }).fileId))).toEqual([
        'new',
        'file-a',
        'file-b',
        'file-d',
        '',
      ]);
      expect(lines.slice(1, 3)).toEqual([other, row('b', { mine: true })]);
    }));

  it('separates the rows of syncs with different destinations, purposes or prefixes', () =>
    withManifest(async (path) => {
      const scopes = [{}, { destination: 'azure' }, { purpose: 'evals' }, { prefix: 'p-' }];
      for (const [index, changes] of scopes.entries()) {
        await (await open(path, changes)).record({ add: [entry('a', { fileId: `f${index}` })], remove: [] }, signal);
      }
      for (const [index, changes] of scopes.entries()) {
        const rows = await (await open(path, changes)).read(signal);
        expect(rows.map(({ fileId }) => fileId)).toEqual([`f${index}`]);
      }
    }));

  it('keeps the row of a newer File that another sync has written, if that File exists', () =>
    withManifest(async (path) => {
      const manifest = await open(path);
      await manifest.record({ add: [entry('a', { fileId: 'newer', createdAt: 2_000_000_000 })], remove: [] }, signal);
      await manifest.record({ add: [entry('a')], remove: [] }, signal);
      expect((await manifest.read(signal))[0]?.fileId).toBe('newer');
      await manifest.record({ add: [entry('a')], remove: [], exists: () => false }, signal);
      expect((await manifest.read(signal))[0]?.fileId).toBe('file-a');
    }));

  it('does not lose rows if many syncs write it at the same time', () =>
    withManifest(async (path) => {
      const names = Array.from({ length: 30 }, (_, index) => `file-${index}`);
      const writers = names.map(async (name) =>
        (await open(path)).record({ add: [entry(name)], remove: [] }, new AbortController().signal),
      );
      await Promise.all(writers);
      const rows = await (await open(path)).read(signal);
      expect(rows.map((one) => one.path).toSorted()).toEqual(names.toSorted());
      expect(await readdir(join(path, '..'))).toEqual(['sync.jsonl']);
    }));

  it('acquires the lock of a process that was killed, and removes its unfinished file', () =>
    withManifest(async (path) => {
      const { pid } = spawnSync(process.execPath, ['-e', '']);
      const folder = join(path, '..');
      await writeFile(join(folder, '.sync.jsonl.lock'), JSON.stringify({ id: 'x', pid, host: hostname() }));
      await writeFile(join(folder, `.sync.jsonl.${crypto.randomUUID()}.tmp`), 'half a row');
      await (await open(path)).record({ add: [entry('a')], remove: [] }, signal);
      expect(await readdir(folder)).toEqual(['sync.jsonl']);
    }));

  it('reports before a sync that no file can be created next to it', () =>
    withManifest(async (path) => {
      for (const [name, fix] of [
        ['x'.repeat(250), /the name is too long \(ENAMETOOLONG\)\. Use a shorter path/],
        ['missing/a.jsonl', /ENOENT\)\. Create its directory/],
      ] as const) {
        const store = await openFileManifest({ type: 'file', path: join(path, '..', name), host: 'h' }, {});
        await expect(store.prepare(signal)).rejects.toThrow(fix);
      }
      expect(await readdir(join(path, '..'))).toEqual([]);
    }));

  it.skipIf(process.getuid?.() === 0)('names the missing permission of a file that cannot be read', () =>
    withManifest(async (path) => {
      await writeFile(path, '');
      await chmod(path, 0);
      await expect((await open(path)).read(signal)).rejects.toThrow(/EACCES.*\. Grant read access to it to the user/);
    }),
  );

  it('keeps the mode of the file, and a link to it', () =>
    withManifest(async (path) => {
      const target = join(path, '..', 'real.jsonl');
      await writeFile(target, `${row('a')}\n`);
      await chmod(target, 0o640);
      await symlink(target, path);
      await (await open(path)).record({ add: [entry('b')], remove: [] }, signal);
      expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(3);
      expect((await stat(target)).mode & 0o777).toBe(0o640);
      expect((await readFile(target, 'utf8')).split('\n')).toHaveLength(3);
    }));

  const invalid: [string, string, RegExp][] = [
    [
      'a truncated last line',
      `${row('a')}\n{"path":"b","si`,
      /line 2 is the last line and is not valid JSON.*truncated/,
    ],
    ['a line that is not JSON', `${row('a')}\nhello\n${row('b')}\n`, /line 2 is not valid JSON/],
    ['a list', '[1]\n', /line 1 is not a JSON object/],
    ['a training file', '{"messages":[]}\n', /line 1 has no valid "path"/],
    ['a repeated path', `${row('a')}\n${row('b')}\n${row('a')}\n`, /line 3 repeats the path of line 1/],
    ['a path in two Unicode forms', `${row('é')}\n${row('é'.normalize('NFD'))}\n`, /line 2 repeats the path/],
    ['a path outside the source', `${row('../x')}\n`, /line 1 has a "path" that leads out of the source/],
    ['an absolute path', `${row('/etc/passwd')}\n`, /line 1 has a "path" that leads out of the source/],
    ['a negative size', `${row('a', { size: -1 })}\n`, /line 1 has no valid "size"/],
    ['a size as a text', `${row('a', { size: '5' })}\n`, /line 1 has no valid "size"/],
    ['an invalid MD5', `${row('a', { md5: 'x' })}\n`, /line 1 has an invalid "md5"/],
    ['an invalid time', `${row('a', { time: 'soon' })}\n`, /line 1 has an invalid "time"/],
    ['no File ID', `${row('a', { fileId: null })}\n`, /line 1 has no valid "fileId"/],
    ['a number as purpose', `${row('a', { purpose: 5 })}\n`, /line 1 has an invalid "purpose"/],
    ['a huge line', `${row('a')}\n{"path":"${'x'.repeat(3 * MAX_LINE_BYTES)}"}\n`, /line 2 is longer than 65536 bytes/],
  ];

  it.each(invalid)('with %s is rejected with the line number, and not changed', (_, text, message) =>
    withManifest(async (path) => {
      await writeFile(path, text);
      const manifest = await open(path);
      await expect(manifest.read(signal)).rejects.toMatchObject({ code: 'MANIFEST_UNUSABLE' });
      await expect(manifest.read(signal)).rejects.toThrow(message);
      expect(await readFile(path, 'utf8')).toBe(text);
      if (/repeats/.test(message.source)) return;
      await expect(manifest.record({ add: [entry('z')], remove: [] }, signal)).rejects.toThrow(message);
      expect(await readFile(path, 'utf8')).toBe(text);
      expect(await readdir(join(path, '..'))).toEqual(['sync.jsonl']);
    }),
  );

  it('with bytes that are not UTF-8 is rejected with the line number', () =>
    withManifest(async (path) => {
      await writeFile(path, Buffer.concat([Buffer.from(`${row('a')}\n`), Buffer.from([0x7b, 0xff, 0x0a])]));
      await expect((await open(path)).read(signal)).rejects.toThrow(/line 2 is not UTF-8/);
    }));

  it('accepts a byte order mark, CRLF, empty lines, unknown properties, and rows without time or MD5', () =>
    withManifest(async (path) => {
      const [a, b] = [
        row('a', { note: 'x', time: null }),
        row('b', { md5: undefined, time: '2026-09-21T17:33:20+02:00' }),
      ];
      await writeFile(path, `\uFEFF${a}\r\n\r\n  \n${b}`);
      const rows = await (await open(path)).read(signal);
      expect(rows).toMatchObject([
        { path: 'a', version: '', md5: MD5 },
        { path: 'b', version: (BigInt(Date.parse('2026-09-21T15:33:20Z')) * 1_000_000n).toString(36), md5: null },
      ]);
    }));

  it('accepts times in any zone and with any fraction of the same second', () => {
    const times = [
      '15:00Z',
      '15:00.5Z',
      '15:00.123456789Z',
      '15:00+01:00',
      '15:00Z',
      '15:01Z',
      '15:00.000000001+01:00',
    ];
    const versions = times.map((time) => {
      const parsed = parseRow(JSON.stringify({ path: 'a', size: 1, fileId: 'f', time: `2026-11-28T20:${time}` }));
      if (typeof parsed === 'string') throw new Error(parsed);
      return parsed.entry.version;
    });
    const base = BigInt(Date.parse('2026-11-28T20:15:00Z')) * 1_000_000n;
    const hour = 3_600_000_000_000n;
    const added = [0n, 500_000_000n, 123_456_789n, -hour, 0n, 1_000_000_000n, 1n - hour];
    expect(versions).toEqual(added.map((ns) => (base + ns).toString(36)));
  });

  it('is created only in permitted directories, and rejects folders and files with secrets', () =>
    withTempDir(async (directory) => {
      const [root, secret, outside] = ['root', 'secret', 'outside'].map((name) => join(directory, name)) as [
        string,
        string,
        string,
      ];
      for (const folder of [root, outside]) await mkdir(folder);
      await writeFile(secret, 'sk-secret');
      const files = { roots: [root], protect: { files: [secret], folders: [] } };
      const at = (path: string, settings = files) => new Sources({ files: settings }).manifest({ type: 'file', path });
      await expect(at(join(outside, 'm'))).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
      await expect(at(join(root, '../outside/m'))).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
      await symlink(outside, join(root, 'link'));
      await expect(at(join(root, 'link/m'))).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
      await symlink(join(outside, 'm'), join(root, 'dangling'));
      await expect(at(join(root, 'dangling'))).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
      await expect(at(secret, { ...files, roots: ['/'] })).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
      await expect(at('relative.jsonl')).rejects.toMatchObject({ code: 'MANIFEST_UNUSABLE' });
      await expect((await at(root)).prepare(signal)).rejects.toThrow(/not a regular file/);
      await expect((await at(join(root, 'no/m'))).prepare(signal)).rejects.toThrow(/Create its directory/);
      await expect((await at(join(root, 'm'))).prepare(signal)).resolves.toBeUndefined();
      await expect(
        new Sources({ s3: { default: { buckets: ['mine'] } } }).manifest({ type: 's3', bucket: 'other', key: 'k' }),
      ).rejects.toMatchObject({
        code: 'SOURCE_FORBIDDEN',
      });
    }));

  it('excludes itself and the files of its updates from a sync', () => {
    const listing = {
      entries: [
        'a',
        'state/m.jsonl',
        'state/.m.jsonl.lock',
        `state/.m.jsonl.${crypto.randomUUID()}.tmp`,
        'state/.m.jsonl.x',
        'm.jsonl',
      ].map((path) => ({ path, sizeBytes: 1, mtimeMs: 0, fingerprint: '', version: '' })),
      problems: [],
      leftOut: [],
      unseen: [],
      isComplete: true,
    };
    const left = (changes: Partial<SyncScope>) =>
      withoutManifest(listing, { ...scope, ...changes }).entries.map(({ path }) => path);
    expect(left({ manifest: { type: 'file', path: '/data/state/m.jsonl' } })).toEqual([
      'a',
      'state/.m.jsonl.x',
      'm.jsonl',
    ]);
    expect(left({ manifest: { type: 'file', path: '/database/m.jsonl' } })).toHaveLength(6);
    const bucket = {
      source: { type: 's3', bucket: 'b', prefix: 'p' },
      manifest: { type: 's3', bucket: 'b', key: 'p/m.jsonl' },
    } as const;
    expect(left(bucket)).not.toContain('m.jsonl');
  });
});

describe('a generated manifest', () => {
  const values = fc.oneof(strangeTexts, strangeNumbers, fc.constantFrom(null, true, [], {}));
  const names = [
    'path',
    'size',
    'time',
    'md5',
    'fileId',
    'createdAt',
    'change',
    'version',
    'purpose',
    'prefix',
    'destination',
    'source',
  ];

  it('is read or rejected with one line, for any content', async () => {
    const text = fc.array(fc.oneof(fc.constant(row('a')), fc.string(), fc.json(), strangeTexts), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(text, async (lines) => {
        const store = {
          name: 'm',
          prepare: async () => {},
          read: <T>(use: (content: AsyncIterable<Uint8Array>) => Promise<T>) => use(chunks(lines.join('\n'), 7)),
          update: async () => {},
        };
        const outcome = await rowsOf(new SyncManifest(store as never, scope), signal).catch((error: Error) => error);
        if (!(outcome instanceof Error)) return;
        expect(outcome).toMatchObject({ code: 'MANIFEST_UNUSABLE' });
        expect(outcome.message).toMatch(/^cannot use the manifest m: line \d+ [^\n]*\.$/);
      }),
      { numRuns: generatedRuns(60) },
    );
  });

  it('has only rows that can be written and read again', () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), values, (name, value) => {
        const parsed = parseRow(JSON.stringify({ ...(JSON.parse(row('a')) as object), [name]: value }));
        if (typeof parsed === 'string') return;
        const { entry: found, destination, prefix, purpose = 'batch' } = parsed;
        const own = { ...scope, destination, prefix, purpose };
        const line = lineOf(own, found);
        if (line === undefined) return;
        const {
          from: _from,
          mtimeMs: _mtimeMs,
          version: _version,
          ...again
        } = (parseRow(line) as { entry: RememberedFile }).entry;
        expect(found).toMatchObject(again);
      }),
      { numRuns: generatedRuns(500) },
    );
  });

  it('has the same lines for any division into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme' })),
        fc.integer({ min: 1, max: 9 }),
        async (texts, size) => {
          const whole = texts.map((text) => text.replace(/[\n\uFEFF]/g, '')).join('\n');
          const found: string[] = [];
          for await (const group of linesIn(chunks(whole, size))) found.push(...group.map(({ text }) => text));
          expect(found).toEqual(
            whole
              .split('\n')
              .map((text) => text.trim())
              .filter((text) => text !== ''),
          );
        },
      ),
      { numRuns: generatedRuns(200) },
    );
  });
});

async function* chunks(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}
