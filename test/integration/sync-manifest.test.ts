import { randomUUID } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { SyncOptions } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { randomFile } from '../support/random-file.ts';
import { s3ServerChoices, withS3Server } from '../support/s3-servers.ts';
import { filesAt, manyFiles, runSync, decisionLines } from '../support/sync-folder.ts';
import { KEY, MiB, withSystem, type System } from '../support/system.ts';
import { writeFiles } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { useDisk } from '../support/use-disk.ts';

useDisk();

const purpose = 'assistants';

interface Row {
  readonly path: string;
  readonly fileId: string;
  readonly md5: string;
}

async function rowsIn(manifest: string): Promise<Row[]> {
  const text = await readFile(manifest, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}

/** A sync on another Temporal: it has the memory of no earlier run. */
const elsewhere = (system: System, options: SyncOptions) => runSync(system, { ...options, id: `sync-${randomUUID()}` });

/** A copy with other times and inodes. */
async function checkout(from: string, to: string): Promise<string> {
  await cp(from, to, { recursive: true });
  return to;
}

describe('a sync with a manifest', () => {
  it('sends nothing again from a fresh checkout, from another host, and after the loss of Temporal', () =>
    withSystem(async (system) => {
      const { directory } = system;
      const folder = join(directory, 'data');
      const manifest = join(directory, 'sync.jsonl');
      await writeFiles(folder, manyFiles(15));
      await randomFile(join(folder, 'large.bin'), 2 * MiB);
      await system.startWorker();
      // The memory in Temporal becomes the first content of the manifest.
      expect((await runSync(system, { folder, purpose })).counts.sent.files).toBe(16);
      const adopted = await runSync(system, { folder, purpose, manifest });
      expect(adopted).toMatchObject({ counts: { same: 16, sent: { files: 0 } }, memory: null });
      const rows = await rowsIn(manifest);
      expect(rows).toHaveLength(16);
      expect(rows.find(({ path }) => path === 'large.bin')).toMatchObject({ size: 2 * MiB, md5: expect.any(String) });

      const ids = new Set(rows.map(({ fileId }) => fileId));
      const copy = await checkout(folder, join(directory, 'checkout'));
      const fresh = await elsewhere(system, { folder: copy, purpose, manifest });
      expect(fresh.counts).toMatchObject({ knownContent: 16, sent: { files: 0 }, failed: 0 });
      expect(new Set((await rowsIn(manifest)).map(({ fileId }) => fileId))).toEqual(ids);
      // Its times are in the manifest now, so that nothing is read.
      expect((await elsewhere(system, { folder: copy, purpose, manifest })).counts.same).toBe(16);

      await system.startWorker({ host: 'second' });
      const source = { type: 'folder', path: copy, host: 'second' } as const;
      const place = { type: 'file', path: manifest, host: 'second' } as const;
      expect((await elsewhere(system, { source, purpose, manifest: place })).counts.same).toBe(16);

      const changed = join(copy, 'many', '0007.jsonl');
      const { atime, mtime } = await stat(changed);
      await writeFile(changed, '{"number":"XXXX"}\n');
      await utimes(changed, atime, mtime);
      await utimes(join(copy, 'many', '0008.jsonl'), new Date(), new Date());
      const [gone] = (await filesAt(system)).get('many__0009.jsonl') ?? [];
      await fetch(`${system.api.url}/files/${gone}`, { method: 'DELETE', headers: { authorization: `Bearer ${KEY}` } });
      await rm(join(copy, 'many', '0010.jsonl'));
      const before = await readFile(manifest, 'utf8');
      const options = { folder: copy, purpose, manifest, checksum: true, delete: true };
      const dry = await elsewhere(system, { ...options, dryRun: true });
      expect(decisionLines(dry.decisions).toSorted()).toEqual([
        'delete gone many/0010.jsonl',
        'skip known-content many/0008.jsonl',
        'upload changed many/0007.jsonl',
        'upload new many/0009.jsonl',
      ]);
      expect(await readFile(manifest, 'utf8')).toBe(before);
      const last = await elsewhere(system, options);
      expect(last.counts).toMatchObject({ sent: { files: 2 }, knownContent: 1, deleted: 1, failed: 0 });
      const newest = await filesAt(system);
      for (const { path, fileId } of await rowsIn(manifest)) {
        expect(newest.get(path.replace('/', '__'))).toContain(fileId);
      }
      expect(await rowsIn(manifest)).toHaveLength(15);
      expect((await readdir(directory)).filter((name) => name.includes('sync.jsonl'))).toEqual(['sync.jsonl']);
    }));

  it('sends and deletes nothing after the loss of both memories, and creates the manifest again', () =>
    withSystem(async (system) => {
      const { directory } = system;
      const folder = join(directory, 'data');
      const manifest = join(directory, 'sync.jsonl');
      await writeFiles(folder, manyFiles(3));
      // Without a memory, a File of the second in which its source changed counts as older.
      const minuteAgo = new Date(Date.now() - 60_000);
      for (const path of Object.keys(manyFiles(3))) await utimes(join(folder, path), minuteAgo, minuteAgo);
      await system.startWorker();
      const options = { folder, purpose, manifest, delete: true };
      expect((await elsewhere(system, options)).counts.sent.files).toBe(3);
      await rm(manifest);
      await rm(join(folder, 'many', '0001.jsonl'));

      const dry = await elsewhere(system, { ...options, dryRun: true });
      expect(dry.counts).toMatchObject({ same: 2, toSend: { files: 0 }, toDelete: 0 });
      await expect(stat(manifest)).rejects.toMatchObject({ code: 'ENOENT' });
      // The sync cannot prove that it uploaded the Files, so they get no rows, and are never deleted.
      const lost = await elsewhere(system, options);
      expect(lost.counts).toMatchObject({ same: 2, sent: { files: 0 }, deleted: 0 });
      expect(await rowsIn(manifest)).toEqual([]);
      expect([...(await filesAt(system)).values()].flat()).toHaveLength(3);

      await writeFiles(folder, { 'new.jsonl': '{}\n' });
      expect((await elsewhere(system, options)).counts).toMatchObject({ same: 2, sent: { files: 1 } });
      expect((await rowsIn(manifest)).map(({ path }) => path)).toEqual(['new.jsonl']);
    }));

  it('shares the manifest with other syncs, and deletes no File of another folder', () =>
    withSystem(async (system) => {
      const { directory } = system;
      const manifest = join(directory, 'one', 'sync.jsonl');
      await writeFiles(join(directory, 'one'), manyFiles(8, 'one'));
      await writeFiles(join(directory, 'two'), { 'a.jsonl': '{"a":1}\n', 'b.jsonl': '{"b":22}\n' });
      await system.startWorker();
      const folders = ['one', 'two'].map((name) => join(directory, name));
      const results = await Promise.all(folders.map((folder) => runSync(system, { folder, purpose, manifest })));
      expect(results.map(({ counts }) => counts.sent.files)).toEqual([8, 2]);
      expect(await rowsIn(manifest)).toHaveLength(10);
      // The manifest itself is in this folder, and is not sent.
      const again = await runSync(system, { folder: folders[0], purpose, manifest, delete: true });
      expect(again).toMatchObject({ counts: { same: 8, sent: { files: 0 }, deleted: 0 } });
      expect(again.deletionsHeld).toMatch(/kept 2 Files .*sent from another folder/);
      expect(await rowsIn(manifest)).toHaveLength(10);
    }));

  it('fails before it sends anything if the manifest is invalid or not permitted, and does not change it', () =>
    withSystem(async (system) => {
      const { directory } = system;
      const folder = join(directory, 'data');
      const manifest = join(directory, 'sync.jsonl');
      await writeFiles(folder, manyFiles(3));
      await system.startWorker({ sources: { files: { roots: [folder] } } });
      const run = (place: string) => elsewhere(system, { folder, purpose, manifest: place });
      await expect(run(manifest)).rejects.toMatchObject({ failureType: 'SourceForbidden' });
      const inside = join(folder, 'sync.jsonl');
      await writeFile(inside, '{"path":"many/0001.jsonl","size":');
      await expect(run(inside)).rejects.toMatchObject({ failureType: 'ManifestUnusable' });
      await expect(run(join(folder, 'none', 'sync.jsonl'))).rejects.toThrow(/Create its directory/);
      expect(await readFile(inside, 'utf8')).toBe('{"path":"many/0001.jsonl","size":');
      expect(system.uploads()).toEqual([]);
    }));

  it('records the files that were sent before the sync and its Temporal server were lost', () =>
    withSystem(async (system) => {
      const { directory } = system;
      const folder = join(directory, 'data');
      const manifest = join(directory, 'sync.jsonl');
      await mkdir(folder);
      const paths = Array.from({ length: 5 }, (_, index) => `${index}.bin`);
      for (const path of paths) await randomFile(join(folder, path), 2 * MiB);
      await system.startWorker();
      const limits = { limitBytesPerSecond: MiB, maxConcurrentUploads: 1 };
      const handle = await system.client.sync({ folder, purpose, manifest, ...limits });
      await until(async () => (await rowsIn(manifest).catch(() => [])).length > 0, 'the first rows of the manifest');
      await system.client.temporal.workflow.getHandle(handle.workflowId).terminate('lost');
      const copy = await checkout(folder, join(directory, 'checkout'));
      const saved = (await rowsIn(manifest)).length;
      const next = await elsewhere(system, { folder: copy, purpose, manifest });
      expect(next.counts.knownContent).toBeGreaterThanOrEqual(saved);
      expect(next.counts.sent.files + next.counts.knownContent).toBe(5);
      expect(await rowsIn(manifest)).toHaveLength(5);
    }));

  it('records the files that a cancelled sync has sent', () =>
    withSystem(async (system) => {
      const { directory } = system;
      const folder = join(directory, 'data');
      const manifest = join(directory, 'sync.jsonl');
      await mkdir(folder);
      for (const path of ['a', 'b', 'c']) await randomFile(join(folder, path), 1.25 * MiB);
      await system.startWorker();
      const limits = { limitBytesPerSecond: MiB, maxConcurrentUploads: 1 };
      const handle = await system.client.sync({ folder, purpose, manifest, ...limits });
      await until(async () => system.uploads().some(({ status }) => status === 'completed'), 'the first File');
      await handle.cancel();
      await expect(handle.result()).rejects.toThrow();
      expect((await rowsIn(manifest)).length).toBeGreaterThan(0);
    }));
});

describe.each(await s3ServerChoices())('a manifest in a bucket of $name', ({ name, skipped }) => {
  it.skipIf(skipped)('has the rows of all syncs, from every host', () =>
    withS3Server(name, (store) =>
      withSystem(async (system) => {
        const { directory } = system;
        const folders = ['one', 'two'].map((one) => join(directory, one));
        for (const folder of folders) await writeFiles(folder, manyFiles(5, folder));
        const { endpoint, credentials, bucket } = store;
        const connection = { endpoint, region: 'us-east-1', credentials };
        const manifest = `s3://${bucket}/state/sync.jsonl`;
        await system.startWorker({
          sources: { files: { roots: [directory] }, s3: { default: { ...connection, buckets: ['other'] } } },
        });
        const sync = (folder: string) => ({ folder, purpose, prefix: `${basename(folder)}-`, manifest });
        await expect(elsewhere(system, sync(folders[0] as string))).rejects.toMatchObject({
          failureType: 'SourceForbidden',
        });
        await system.startWorker({ host: 'second', sources: { any: true, s3: { default: connection } } });
        const source = (path: string) => ({ type: 'folder', path, host: 'second' }) as const;
        const run = ({ folder, ...rest }: ReturnType<typeof sync>) =>
          elsewhere(system, { ...rest, source: source(folder) });
        // A store without conditional writes is safe for one sync at a time.
        const first = name === 'versitygw' ? await Promise.all(folders.map((one) => run(sync(one)))) : [];
        if (name !== 'versitygw') for (const folder of folders) first.push(await run(sync(folder)));
        expect(first.map(({ counts }) => counts.sent.files)).toEqual([5, 5]);
        for (const folder of folders) {
          const copy = await checkout(folder, `${folder}-copy`);
          const again = await run({ ...sync(folder), folder: copy });
          expect(again.counts).toMatchObject({ knownContent: 5, sent: { files: 0 } });
        }
      }),
    ),
  );
});
