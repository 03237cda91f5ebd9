import { describe, expect, it } from 'vitest';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { withoutManifest } from '../../../../activities/sync/manifest/own-files.ts';
import type { SyncScope } from '../../../../src/contracts/plan-sync.ts';
import { openFileManifest } from '../../../../src/sources/manifest/file-store.ts';
import { Sources } from '../../../../src/sources/sources.ts';
import { withTempDir } from '../../../support/temp-dir.ts';
import { signal, scope, MD5, entry, open, withManifest, row } from './manifest-scene.ts';

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
        ['missing/a.jsonl', /: its directory does not exist \(ENOENT\)\. Create its directory/],
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
