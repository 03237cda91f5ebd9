import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { linesIn, MAX_LINE_BYTES } from '../../../../activities/sync/manifest/lines.ts';
import { SyncManifest } from '../../../../activities/sync/manifest/manifest.ts';
import { lineOf, parseRow } from '../../../../activities/sync/manifest/rows.ts';
import type { RememberedFile } from '../../../../src/contracts/sync.ts';
import { generatedRuns, strangeNumbers, strangeTexts } from '../../../support/mutated.ts';
import { signal, scope, MD5, entry, rowsOf, open, withManifest, row } from './manifest-scene.ts';

describe('a manifest', () => {
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
