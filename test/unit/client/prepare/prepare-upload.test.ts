import { mkdir, mkdtemp, realpath, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareUpload } from '../../../../src/client/prepare/prepare-upload.ts';
import { Limits } from '../../../../src/contracts/limits.ts';
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

  it('gives the same file the same id, by whatever name it is called', async () => {
    const { workflowId } = await prepare();
    const link = join(dir, 'link.jsonl');
    await symlink(file, link);
    expect((await prepare({ file: relative(process.cwd(), file) })).workflowId).toBe(workflowId);
    expect((await prepare({ file: link, filename: 'train.jsonl' })).workflowId).toBe(workflowId);
  });

  it('takes the name that the caller used, not the one behind a link', async () => {
    const link = join(dir, 'latest.jsonl');
    await symlink(file, link);
    const { request } = await prepare({ file: link });
    expect(request).toMatchObject({ filename: 'latest.jsonl', source: { path: file } });
  });

  it('gives another id to a file whose content changed', async () => {
    const before = await prepare();
    await writeFile(file, '{"a":2}\n{"a":3}\n');
    expect((await prepare()).workflowId).not.toBe(before.workflowId);
  });

  it('gives another id to a file that was replaced by one of the same size', async () => {
    const before = await prepare();
    const other = join(dir, 'other');
    await writeFile(other, '{"a":2}\n');
    await rename(other, file);
    expect((await prepare()).workflowId).not.toBe(before.workflowId);
  });

  it.each([{ purpose: 'batch' }, { filename: 'x' }, { destination: 'eu' }, { baseUrl: 'http://127.0.0.1:1' }])(
    'gives another id with %j',
    async (change) => {
      expect((await prepare(change)).workflowId).not.toBe((await prepare()).workflowId);
    },
  );

  it.each([{ partSizeBytes: Limits.maxPartSizeBytes }, { concurrency: 3 }, { md5: false }, { again: true }])(
    'gives the same id with %j, which changes how it is sent and not what',
    async (change) => {
      expect((await prepare(change)).workflowId).toBe((await prepare()).workflowId);
    },
  );

  it("takes the caller's id, and tells by the digest whose it is", async () => {
    const { workflowId, digest } = await prepare({ id: 'nightly-7' });
    expect(workflowId).toBe('nightly-7');
    expect(digest).toBe((await prepare()).digest);
  });

  it('keeps what only the client needs out of the workflow', async () => {
    const { request } = await prepare({ id: 'i', again: true, baseUrl: 'http://127.0.0.1:1' });
    expect(Object.keys(request).toSorted()).toEqual(['expectedFingerprint', 'filename', 'purpose', 'source']);
  });

  it("doesn't look at a source that it was given, which may be on another host", async () => {
    const source = { type: 'file', path: '/no/such/train.jsonl', host: 'elsewhere' } as const;
    const { request } = await prepareUpload({ source, purpose: 'batch' }, context);
    expect(request).toEqual({ source, purpose: 'batch', filename: 'train.jsonl' });
  });

  it('fails with every problem of the request at once', async () => {
    const preparing = prepare({ partSizeBytes: 1, concurrency: 0 });
    await expect(preparing).rejects.toThrow(ConfigError);
    await expect(preparing).rejects.toThrow(/"partSizeBytes" must be .*; "concurrency" must be /);
  });

  it.each([{ file: undefined }, { source: { type: 'file', path: '/x' } }])(
    'wants a file or a source, and not both or neither: %j',
    async (change) => {
      await expect(prepare(change)).rejects.toThrow(new ConfigError('give one of "file", "url" and "source"'));
    },
  );

  it('refuses a file that is missing, a directory, and an empty one, each with its name', async () => {
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

  it('takes a file of 8 GiB and refuses one byte more', async () => {
    await truncate(file, Limits.maxFileBytes);
    expect((await prepare()).request.expectedFingerprint).toMatch(/^8589934592-/);
    await truncate(file, Limits.maxFileBytes + 1);
    await expect(prepare()).rejects.toThrow(/8 GiB \(8589934593 bytes\); an Upload takes 8 GiB at most/);
  });
});
