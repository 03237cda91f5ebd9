import { mkdir, mkdtemp, realpath, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareSplit, prepareUpload } from '../../../../src/client/prepare/prepare-upload.ts';
import { Limits } from '../../../../src/contracts/limits.ts';
import { limitsOf } from '../../../../src/destinations/limits.ts';
import { ConfigError } from '../../../../src/errors.ts';
import { Sources } from '../../../../src/sources/sources.ts';

let dir: string;
let file: string;

beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'longhaul-prepare-')));
  file = join(dir, 'train.jsonl');
  await writeFile(file, '{"a":1}\n');
});

afterEach(() => rm(dir, { recursive: true, force: true }));

const context = { host: 'host-1', sources: new Sources() };
const prepare = (changes: object = {}) => prepareUpload({ file, purpose: 'fine-tune', ...changes }, context);

describe('prepareUpload', () => {
  it('names the file by its absolute path on this host, with its fingerprint', async () => {
    const { request, workflowId, digest } = await prepare();
    expect(request).toEqual({
      source: { type: 'file', path: file, host: 'host-1' },
      purpose: 'fine-tune',
      filename: 'train.jsonl',
      expectedFingerprint: expect.stringMatching(/^8-/),
    });
    expect(workflowId).toBe(`longhaul-train.jsonl-${digest}`);
  });

  it('derives the same ID for all paths of a file', async () => {
    const { workflowId } = await prepare();
    const link = join(dir, 'link.jsonl');
    await symlink(file, link);
    expect((await prepare({ file: relative(process.cwd(), file) })).workflowId).toBe(workflowId);
    expect((await prepare({ file: link, filename: 'train.jsonl' })).workflowId).toBe(workflowId);
  });

  it('uses the name of a link, not of its target', async () => {
    const link = join(dir, 'latest.jsonl');
    await symlink(file, link);
    const { request } = await prepare({ file: link });
    expect(request).toMatchObject({ filename: 'latest.jsonl', source: { path: file } });
  });

  it('derives another ID for a file whose content changed', async () => {
    const before = await prepare();
    await writeFile(file, '{"a":2}\n{"a":3}\n');
    expect((await prepare()).workflowId).not.toBe(before.workflowId);
  });

  it('derives another ID for a file that was replaced by a file of the same size', async () => {
    const before = await prepare();
    const other = join(dir, 'other');
    await writeFile(other, '{"a":2}\n');
    await rename(other, file);
    expect((await prepare()).workflowId).not.toBe(before.workflowId);
  });

  it.each([{ purpose: 'batch' }, { filename: 'x' }, { destination: 'eu' }, { baseUrl: 'http://127.0.0.1:1' }])(
    'derives another ID with %j',
    async (change) => {
      expect((await prepare(change)).workflowId).not.toBe((await prepare()).workflowId);
    },
  );

  it.each([{ partSizeBytes: Limits.maxPartSizeBytes }, { concurrency: 3 }, { md5: false }, { again: true }])(
    'derives the same ID with %j, which does not change the File',
    async (change) => {
      expect((await prepare(change)).workflowId).toBe((await prepare()).workflowId);
    },
  );

  it("uses the caller's ID, and identifies the upload by the digest", async () => {
    const { workflowId, digest } = await prepare({ id: 'nightly-7' });
    expect(workflowId).toBe('nightly-7');
    expect(digest).toBe((await prepare()).digest);
  });

  it('omits client options from the input of the workflow', async () => {
    const { request } = await prepare({ id: 'i', again: true, baseUrl: 'http://127.0.0.1:1' });
    expect(Object.keys(request).toSorted()).toEqual(['expectedFingerprint', 'filename', 'purpose', 'source']);
  });

  it('does not inspect a `source`, which can be on another host', async () => {
    const source = { type: 'file', path: '/no/such/train.jsonl', host: 'elsewhere' } as const;
    const { request } = await prepareUpload({ source, purpose: 'batch' }, context);
    expect(request).toEqual({ source, purpose: 'batch', filename: 'train.jsonl' });
  });

  it('rejects a request with all of its problems', async () => {
    const preparing = prepare({ partSizeBytes: 1, concurrency: 0 });
    await expect(preparing).rejects.toThrow(ConfigError);
    await expect(preparing).rejects.toThrow(/"partSizeBytes" must be .*; "concurrency" must be /);
  });

  it.each([{ file: undefined }, { source: { type: 'file', path: '/x' } }])(
    'requires exactly one of file, url and source: %j',
    async (change) => {
      await expect(prepare(change)).rejects.toThrow(new ConfigError('set exactly one of "file", "url" and "source"'));
    },
  );

  it('rejects a missing file, a directory and an empty file, with the name', async () => {
    const empty = join(dir, 'empty');
    const directory = join(dir, 'directory');
    await writeFile(empty, '');
    await mkdir(directory);
    for (const bad of [join(dir, 'missing'), directory, empty]) {
      const preparing = prepare({ file: bad });
      await expect(preparing).rejects.toMatchObject({ code: expect.stringMatching(/^SOURCE_(MISSING|UNUSABLE)$/) });
      await expect(preparing).rejects.toThrow(basename(bad));
    }
  });

  it.each([
    ['vision', Limits.maxFileBytes, /8 GiB \(8589934593 bytes\), and the maximum of an Upload is 8 GiB for .* --split/],
    [
      'batch',
      200_000_000,
      /\(200000001 bytes\), and the maximum of an Upload is 200 MB for the purpose batch.* --split/,
    ],
  ])('accepts the maximum size of the purpose %s and rejects one more byte', async (purpose, most, message) => {
    const limits = (_: string, one: string) => limitsOf({}, one);
    const one = () => prepareUpload({ file, purpose, filename: 'a.jsonl' }, { ...context, limits });
    await truncate(file, most);
    expect((await one()).request.expectedFingerprint).toMatch(new RegExp(`^${most}-`));
    await truncate(file, most + 1);
    await expect(one()).rejects.toThrow(message);
  });

  it.each(['batch', 'fine-tune'])(
    'rejects a name that the purpose %s does not accept, also for a split',
    async (purpose) => {
      const limited = { ...context, limits: (_: string, one: string) => limitsOf({}, one) };
      for (const preparing of [prepareUpload, prepareSplit]) {
        for (const filename of ['a.csv', 'jsonl', '.jsonl', 'a.jsonl.gz', 'A.JSONL']) {
          const message = new RegExp(`purpose ${purpose} must end in .jsonl. .* --filename .*.jsonl, or .* --purpose`);
          await expect(preparing({ file, purpose, filename }, limited)).rejects.toThrow(message);
        }
        await preparing({ file, purpose, filename: 'a.jsonl' }, limited);
        await preparing({ file, purpose: 'vision', filename: 'a.csv' }, limited);
      }
    },
  );
});
