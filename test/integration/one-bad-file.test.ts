import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobHandle } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { withFakeS3, type FakeObject } from '../support/fake-s3.ts';
import { randomFile } from '../support/random-file.ts';
import { filesAt, manyFiles, runSync } from '../support/sync-folder.ts';
import { MiB, withSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { writeFiles } from '../support/temp-dir.ts';

const purpose = 'batch';
const large = Buffer.alloc(2 * MiB, 'x');
const denied = { status: 403, code: 'AccessDenied' };

function numbered(count: number, name: string, object: FakeObject): Record<string, FakeObject> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`set/${name}-${index}.jsonl`, object]));
}

/** Pauses a sync when its first file is sent, and waits until nothing is in flight. */
async function paused({ api, uploads }: System, handle: JobHandle<'sync'>): Promise<void> {
  await until(() => uploads().some(({ status }) => status === 'completed'), 'the first file to be sent');
  await handle.pause();
  api.configure({ latencyMs: 0 });
  await until(async () => (await handle.status()).uploading.length === 0, 'nothing to be in flight');
}

/** Repeats what waits, the sync itself and its uploads, until the sync has ended. */
async function retriedToItsEnd({ client }: System, handle: JobHandle<'sync'>) {
  const retryAll = async () => {
    await handle.retry();
    for await (const { workflowId } of client.list({ taskQueue: client.taskQueue, state: 'waiting' })) {
      await client.getHandle(workflowId).retry();
    }
  };
  const retrying = setInterval(() => void retryAll().catch(() => {}), 200);
  try {
    return await handle.result();
  } finally {
    clearInterval(retrying);
  }
}

describe('a file that cannot be read, among many of a sync', () => {
  it('of a bucket delays no other object and is reported with its reason', () =>
    withFakeS3(
      {
        ...numbered(12, 'denied', { content: 'd\n', rejects: denied }),
        ...numbered(3, 'broken', { content: 'b\n', rejectsGet: { status: 500, code: 'InternalError' } }),
        'set/gone.jsonl': { content: 'g\n', rejects: { status: 404, code: 'NoSuchKey' } },
        'set/large-broken.bin': { content: large, rejectsGet: { status: 500, code: 'InternalError' } },
        'set/large-denied.bin': { content: large, rejectsGet: denied },
        'set/large-hidden.bin': { content: large, rejects: denied },
        'set/z-large.bin': { content: large },
        'set/z.jsonl': { content: 'z\n' },
      },
      (store) =>
        withSystem(async (system) => {
          await system.startWorker({ sources: store.sources });
          const source = { type: 's3', bucket: store.bucket, prefix: 'set' } as const;
          const sync = { source, purpose, maxConcurrentUploads: 2, upload: { partSizeBytes: MiB } };
          const { counts, problems } = await runSync(system, sync);
          expect(counts).toMatchObject({ sent: { files: 2 }, failed: 19, leftOut: 0, postponed: 0 });
          const types = new Map(problems.map(({ path, failureType }) => [path, failureType]));
          expect(types.get('denied-3.jsonl')).toBe('SourceMissing');
          expect(types.get('broken-1.jsonl')).toBe('SourceUnavailable');
          expect(types.get('large-broken.bin')).toBe('SourceUnavailable');
          expect(types.get('large-hidden.bin')).toBe('SourceMissing');
          const denial = problems.find(({ path }) => path === 'large-denied.bin');
          expect(denial?.message).toMatch(/cannot read .*large-denied\.bin: the store denied access \(AccessDenied\)/);
          expect([...(await filesAt(system)).keys()].toSorted()).toEqual(['z-large.bin', 'z.jsonl']);
          expect(system.uploads().filter(({ status }) => status === 'pending')).toEqual([]);
          const attempts = store.requests.filter((request) => request === 'GET set/broken-1.jsonl');
          expect(attempts.length).toBeLessThanOrEqual(6);
        }),
    ));

  it('does not hide that a whole bucket cannot be read: all wait, and none fails', () =>
    withFakeS3({ ...numbered(6, 'a', { content: 'a\n' }), 'set/z-large.bin': { content: large } }, (store) =>
      withSystem(async (system) => {
        await system.startWorker({ sources: store.sources });
        system.api.configure({ latencyMs: 500 });
        const source = { type: 's3', bucket: store.bucket, prefix: 'set' } as const;
        const handle = await system.client.sync({ source, purpose, maxConcurrentUploads: 1 });
        await paused(system, handle);
        store.rejectsAll = { status: 403, code: 'InvalidAccessKeyId' };
        await handle.resume();
        await until(async () => (await handle.status()).state === 'waiting', 'the sync to wait');
        expect((await handle.status()).waiting?.reason).toMatch(
          /cannot read s3:\/\/bucket-\w+\/set\/: the store denied access \(InvalidAccessKeyId\)/,
        );
        store.rejectsAll = undefined;
        await handle.retry();
        await until(async () => (await handle.status()).counts.sent.files === 6, 'the small objects to be sent');
        expect((await retriedToItsEnd(system, handle)).counts).toMatchObject({ sent: { files: 7 }, failed: 0 });
      }),
    ));

  it('of a folder that vanished or became a link to nowhere is reported, and a folder that vanished is waited for', () =>
    withSystem(async (system) => {
      await system.startWorker();
      const folder = join(system.directory, 'data');
      await writeFiles(folder, {
        ...manyFiles(4),
        'n/circle': 'c',
        'n/directory': 'd',
        'n/link': 'l',
        'n/none': 'n',
        'n/rewritten': 'r',
      });
      for (const name of ['n/large-none.bin', 'n/large-rewritten.bin', 'z/large.bin']) {
        await mkdir(join(folder, 'z'), { recursive: true });
        await randomFile(join(folder, name), 2 * MiB);
      }
      await writeFile(join(folder, 'z/small'), 'z');
      system.api.configure({ latencyMs: 500 });
      const handle = await system.client.sync({ folder, purpose, maxConcurrentUploads: 1 });
      await paused(system, handle);
      for (const name of ['circle', 'directory', 'link', 'none', 'large-none.bin']) await rm(join(folder, 'n', name));
      await writeFile(join(folder, 'n/rewritten'), '');
      await writeFile(join(folder, 'n/large-rewritten.bin'), '');
      await symlink('circle', join(folder, 'n/circle'));
      await mkdir(join(folder, 'n/directory'));
      await symlink('nowhere', join(folder, 'n/link'));
      await rename(folder, `${folder}-away`);
      await handle.resume();
      await until(async () => (await handle.status()).state === 'waiting', 'the sync to wait');
      expect((await handle.status()).waiting?.reason).toContain(`cannot read ${folder}: it does not exist`);
      await rename(`${folder}-away`, folder);
      const { counts, problems, postponed } = await retriedToItsEnd(system, handle);
      expect(counts).toMatchObject({ sent: { files: 6 }, failed: 4, postponed: 3 });
      expect(problems.map(({ path, failureType }) => `${path} ${failureType}`).toSorted()).toEqual([
        'n/circle SourceMissing',
        'n/large-none.bin SourceMissing',
        'n/link SourceMissing',
        'n/none SourceMissing',
      ]);
      expect(postponed?.map(({ path }) => path).toSorted()).toEqual([
        'n/directory',
        'n/large-rewritten.bin',
        'n/rewritten',
      ]);
    }));
});
