import { appendFileSync } from 'node:fs';
import { mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { SyncRequest, SyncResult } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { packMemory } from '../../activities/sync/memory.ts';
import { Priorities } from '../../src/contracts/limits.ts';
import { md5, randomFile } from '../support/random-file.ts';
import { filesAt, manyFiles, runSync, decisionLines } from '../support/sync-folder.ts';
import { MiB, partsReceived, withSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { writeFiles } from '../support/temp-dir.ts';
import { useDisk } from '../support/use-disk.ts';

useDisk();

const purpose = 'assistants';

/** A folder with files in it, and a worker. */
async function withFolder(
  files: Readonly<Record<string, string>>,
  run: (system: System, folder: string) => Promise<void>,
  options: Parameters<typeof withSystem>[1] = {},
): Promise<void> {
  await withSystem(async (system) => {
    const folder = join(system.directory, 'data');
    await mkdir(folder);
    await writeFiles(folder, files);
    await system.startWorker();
    await run(system, folder);
  }, options);
}

describe('a sync of a folder', () => {
  it('sends all, then nothing, then exactly the changes, as the dry run reports', () =>
    withFolder(manyFiles(10), async (system, folder) => {
      const content = await randomFile(join(folder, 'large.bin'), 3 * MiB);
      const sync = { folder, purpose, prefix: 'p-', delete: true };
      const first = await runSync(system, sync);
      expect(first.counts).toMatchObject({
        listed: { files: 11 },
        same: 0,
        sent: { files: 11 },
        failed: 0,
        deleted: 0,
      });
      const files = await filesAt(system);
      expect(files.size).toBe(11);
      expect(md5(await system.download(files.get('p-large.bin')?.[0] as string))).toBe(md5(content));
      const number = files.get('p-many__0000.jsonl')?.[0] as string;
      expect((await system.download(number)).toString()).toBe('{"number":"0000"}\n');

      const second = await runSync(system, sync);
      expect(second.counts).toMatchObject({ same: 11, toSend: { files: 0 }, sent: { files: 0 }, deleted: 0 });
      expect(second.requests).toBe(1);

      const at = (name: string) => join(folder, 'many', `${name}.jsonl`);
      for (const name of ['0001', '0002', '0003']) await writeFile(at(name), `{"number":"${name}!"}\n`);
      for (const name of ['0004', '0005']) await rm(at(name));
      await rename(at('0006'), at('moved'));
      await writeFile(at('copied'), '{"number":"0007"}\n');
      await utimes(at('0008'), new Date(), new Date());
      const expected = [
        'upload changed many/0001.jsonl',
        'upload changed many/0002.jsonl',
        'upload changed many/0003.jsonl',
        'delete gone many/0004.jsonl',
        'delete gone many/0005.jsonl',
        'skip known-content many/0008.jsonl',
        'skip known-content many/copied.jsonl',
        'skip known-content many/moved.jsonl',
      ];
      const dry = await runSync(system, { ...sync, dryRun: true });
      expect(decisionLines(dry.decisions).toSorted()).toEqual(expected.toSorted());
      expect(dry.counts).toMatchObject({ toSend: { files: 3 }, toDelete: 2, sent: { files: 0 }, deleted: 0 });
      expect(dry.requests).toBe(1);

      const third = await runSync(system, sync);
      expect(third.counts).toMatchObject({ sent: { files: 3 }, knownContent: 3, deleted: 2, failed: 0 });
      expect(third.requests, 'a list, three files of three calls, two deletions of two').toBe(1 + 3 * 3 + 2 * 2);
      const after = await filesAt(system);
      expect([...after.keys()].filter((name) => /000[45]/.test(name))).toEqual([]);
      expect(after.get('p-many__0006.jsonl'), 'the File of what was moved').toHaveLength(1);

      const fourth = await runSync(system, sync);
      expect(fourth.counts).toMatchObject({ same: 8, knownContent: 2, sent: { files: 0 }, deleted: 0 });
      expect(fourth.requests).toBe(1);
    }));

  it('compares name, size and modification time without a memory of an earlier run', () =>
    withFolder({ 'a.jsonl': 'aaa\n', 'b.jsonl': 'bbb\n' }, async (system, folder) => {
      await runSync(system, { folder, purpose });
      await writeFile(join(folder, 'b.jsonl'), 'BBB\n');
      await utimes(join(folder, 'b.jsonl'), new Date(), new Date(Date.now() + 60_000));
      await utimes(join(folder, 'a.jsonl'), new Date(), new Date(Date.now() - 60_000));
      const { decisions } = await runSync(system, { folder, purpose, id: `other-${system.taskQueue}`, dryRun: true });
      expect(decisions).toMatchObject([
        { path: 'b.jsonl', action: 'upload', why: 'changed' },
        { path: 'a.jsonl', action: 'skip', why: 'same' },
      ]);
    }));

  it('reports files that fail and sends the others, and retries the failed files', () =>
    withFolder(
      { 'a.jsonl': 'a\n', 'b.jsonl': 'b\n', 'c/d.jsonl': 'd\n', 'c__d.jsonl': 'D\n', empty: '' },
      async (system, folder) => {
        await symlink('nowhere', join(folder, 'broken'));
        system.api.faults.add({ route: 'create', kind: 'status', status: 422 });
        const first = await runSync(system, { folder, purpose, maxConcurrentUploads: 1, delete: true });
        expect(first.counts).toMatchObject({ sent: { files: 2 }, failed: 3, leftOut: 1 });
        expect(first.problems).toMatchObject([
          { path: 'broken', failureType: 'SourceMissing', message: expect.stringContaining('does not exist') },
          { path: 'c__d.jsonl', failureType: 'SourceUnusable', message: expect.stringContaining('that of c/d.jsonl') },
          { path: 'a.jsonl', failureType: 'ApiRejected' },
        ]);
        expect(first.leftOut).toMatchObject([{ path: 'empty', message: expect.stringContaining('empty') }]);
        expect(first.deletionsHeld).toMatch(/1 uploads failed/);

        const second = await runSync(system, { folder, purpose });
        expect(second.counts).toMatchObject({ same: 2, sent: { files: 1 }, failed: 2 });
      },
    ));

  it('postpones files that are too new or still being written, which is not a failure', () =>
    withFolder({ 'log.txt': 'first\n', 'removed.jsonl': 'r\n', 'old.jsonl': 'o\n' }, async (system, folder) => {
      const large = join(folder, 'large.bin');
      await randomFile(large, 2 * MiB);
      const sync = { folder, purpose, delete: true };
      await runSync(system, sync);
      const before = await filesAt(system);
      await rm(join(folder, 'removed.jsonl'));
      const written = [join(folder, 'log.txt'), large, join(folder, 'unsent.txt')];
      const writing = setInterval(() => written.forEach((path) => appendFileSync(path, 'more\n')), 1);
      const run = () => runSync(system, sync);
      const second = await run().finally(() => clearInterval(writing));
      expect(second.counts).toMatchObject({ sent: { files: 0 }, failed: 0, postponed: 3, deleted: 1 });
      expect(second).toMatchObject({ problems: [], deletionsHeld: null });
      expect(second.postponed?.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toMatchObject(
        ['large.bin', 'log.txt', 'unsent.txt'].map((path) => ({
          path,
          message: 'still being written (it changed after it was listed). Postponed to the next run',
        })),
      );
      const after = await filesAt(system);
      for (const name of ['large.bin', 'log.txt']) expect(after.get(name)).toEqual(before.get(name));

      await utimes(join(folder, 'unsent.txt'), new Date(), new Date(Date.now() - 3_600_000));
      // A copy that is too new can be what became of the file.
      await writeFile(join(folder, 'copied.jsonl'), 'o\n');
      await rm(join(folder, 'old.jsonl'));
      const aged = await runSync(system, { ...sync, minAgeMs: 300_000 });
      expect(aged.counts).toMatchObject({ sent: { files: 1 }, same: 0, failed: 0, postponed: 3, deleted: 0 });
      expect(aged.deletionsHeld).toMatch(/kept 1 File .* postponed to the next run/);
      expect(aged.postponed?.[1]).toMatchObject({
        path: 'large.bin',
        message: expect.stringMatching(/less than 5 min/),
      });
      expect((await filesAt(system)).get('log.txt')).toEqual(before.get('log.txt'));
      const last = await run();
      expect(last.counts).toMatchObject({ sent: { files: 2 }, knownContent: 1, failed: 0, postponed: 0, deleted: 0 });
    }));

  it('deletes only its Files, and nothing if the source seems to be unmounted', () =>
    withFolder({ 'a.jsonl': 'a\n', 'b.jsonl': 'b\n', 'kept.txt': 'k\n' }, async (system, folder) => {
      const other = join(system.directory, 'other.jsonl');
      await writeFile(other, 'o\n');
      await (await system.client.upload({ file: other, purpose })).result();
      const sync = { folder, purpose, delete: true };
      await runSync(system, sync);
      await rm(join(folder, 'a.jsonl'));
      // Files that the globs exclude are not deleted.
      await rm(join(folder, 'kept.txt'));
      const filtered = await runSync(system, { ...sync, include: ['*.jsonl'] });
      expect(filtered).toMatchObject({ counts: { toDelete: 1, deleted: 1 }, requests: 3 });
      expect([...(await filesAt(system)).keys()].toSorted()).toEqual(['b.jsonl', 'kept.txt', 'other.jsonl']);

      await rm(join(folder, 'b.jsonl'));
      const held = await runSync(system, sync);
      expect(held.counts).toMatchObject({ listed: { files: 0 }, deleted: 0 });
      expect(held.deletionsHeld).toMatch(/contains no file/);
      await writeFiles(folder, { 'new.jsonl': 'n\n' });
      expect((await runSync(system, sync)).counts).toMatchObject({ sent: { files: 1 }, deleted: 2 });
      expect([...(await filesAt(system)).keys()].toSorted()).toEqual(['new.jsonl', 'other.jsonl']);
    }));

  it('deletes nothing with a forged memory, and reports a memory that it cannot read', () =>
    withFolder({ 'a.jsonl': 'a\n' }, async ({ client, taskQueue, directory, ...system }, folder) => {
      // Otherwise it can be newer than its File, so that the last run reads and remembers it.
      await utimes(join(folder, 'a.jsonl'), new Date(), new Date(Date.now() - 60_000));
      const other = join(directory, 'other.jsonl');
      await writeFile(other, 'o\n');
      const { file } = await (await client.upload({ file: other, purpose })).result();
      const request = { source: { type: 'folder', path: folder, host: client.host }, purpose, delete: true } as const;
      const scope = { ...request, destination: 'default', prefix: '', include: [], exclude: [] };
      const run = (memory: unknown, name: string, carried?: unknown) =>
        client.temporal.workflow.execute<(...input: unknown[]) => Promise<SyncResult>>('syncSource', {
          workflowId: `${name}-${taskQueue}`,
          taskQueue,
          args: [request, { memory, run: carried }],
        });
      const row = { path: 'other.jsonl', sizeBytes: 2, version: 'v', fileId: file.id, md5: null };
      const forgeries = [
        row,
        { ...row, createdAt: file.createdAt - 1 },
        { ...row, path: 'x', createdAt: file.createdAt },
      ];
      for (const [index, forgery] of forgeries.entries()) {
        const { counts, deletionsHeld } = await run(await packMemory(scope, [forgery]), `forged-${index}`);
        expect(counts).toMatchObject({ deleted: 0, failed: 0 });
        expect(deletionsHeld).toContain(file.id);
      }
      const bomb = gzipSync(' '.repeat(64 * MiB)).toString('base64');
      const unreadable = await run({ format: 'gzip-rows-1', entries: 1, dropped: 0, data: bomb }, 'bomb');
      expect(unreadable).toMatchObject({ counts: { deleted: 0, failed: 0 }, memory: null });
      expect(unreadable.memoryProblem).toMatch(/cannot be read: it is too large after decompression/);
      expect(unreadable.deletionsHeld).toBe(unreadable.memoryProblem);
      await expect(run(null, 'carried', { problems: 5 })).rejects.toMatchObject({
        cause: { type: 'InvalidRequest', message: expect.stringContaining('Omit it: only Longhaul passes it') },
      });
      expect([...(await filesAt({ client, taskQueue, directory, ...system })).keys()]).toContain('other.jsonl');
    }));

  it('does not start if it would send more files than maxFiles', () =>
    withFolder(manyFiles(5), async (system, folder) => {
      const handle = await system.client.sync({ folder, purpose, maxFiles: 4 });
      await expect(handle.result()).rejects.toMatchObject({
        code: 'JOB_FAILED',
        failureType: 'TooManyFiles',
        message: expect.stringMatching(/would send 5 files, more than maxFiles \(4\)/),
      });
      expect(system.uploads()).toEqual([]);
    }));

  it('attaches to the running sync, and rejects other options for the same ID', () =>
    withFolder(
      {},
      async (system, folder) => {
        await randomFile(join(folder, 'slow.bin'), 6 * MiB);
        const first = await system.client.sync({ folder, purpose, upload: { priority: undefined } });
        const second = await system.client.sync({ folder, purpose, upload: { priority: undefined } });
        expect(second).toMatchObject({ workflowId: first.workflowId, resumed: true });
        const { priority } = await system.client.temporal.workflow.getHandle(first.workflowId).describe();
        expect(priority, 'small files are sent by the sync itself').toMatchObject({ priorityKey: Priorities.bulk });
        await expect(system.client.sync({ folder, purpose, delete: true })).rejects.toMatchObject({
          code: 'JOB_ID_TAKEN',
        });
        expect((await second.result()).counts.sent.files).toBe(1);
      },
      { bandwidthBytesPerSecond: 6 * MiB },
    ));

  it('passes its rate, its priority and the type and lifetime of its Files to each upload', () =>
    withFolder({ 'main.py': 'print()\n', 'notes.YAML': 'a: 1\n', 'data.jsonl.gz': 'x' }, async (system, folder) => {
      for (const name of ['one.bin', 'two.epub']) await randomFile(join(folder, name), 2 * MiB);
      const upload = { priority: 1, fairnessKey: 'tenant', fileExpiresAfterSeconds: 3600, maxSessions: 2 };
      const handle = await system.client.sync({ folder, purpose, limitBytesPerSecond: 2 * MiB, upload });
      const { counts, durationMs } = await handle.result();
      expect(counts.sent.files).toBe(5);
      expect(durationMs, 'both large files share the rate').toBeGreaterThan(1700);

      const workflows = system.client.temporal.workflow;
      expect((await workflows.getHandle(handle.workflowId).describe()).priority).toMatchObject({
        priorityKey: 1,
        fairnessKey: 'tenant',
      });
      const types = Object.fromEntries(system.uploads().map(({ filename, mimeType }) => [filename, mimeType]));
      expect(types).toEqual({
        'main.py': 'text/x-python',
        'notes.YAML': 'text/yaml',
        'data.jsonl.gz': 'application/gzip',
        'one.bin': 'application/octet-stream',
        'two.epub': 'application/epub+zip',
      });
      expect(system.uploads().map(({ fileLifeSeconds }) => fileLifeSeconds)).toEqual(Array(5).fill(3600));

      await writeFiles(folder, { 'other.txt': 'other' });
      await runSync(system, { folder, purpose, upload: { mimeType: 'text/x-other; charset=utf-8' } });
      const other = system.uploads().find(({ filename }) => filename === 'other.txt');
      expect(other).toMatchObject({ mimeType: 'text/x-other; charset=utf-8' });
    }));

  it('waits for an upload of a terminated run to close, and then sends the file', () =>
    withFolder(
      {},
      async (system, folder) => {
        await randomFile(join(folder, 'slow.bin'), 2 * MiB);
        const sync = { folder, purpose, upload: { partSizeBytes: MiB, concurrency: 1 } };
        const first = await system.client.sync(sync);
        await partsReceived(system, 1);
        system.api.configure({ bandwidthBytesPerSecond: MiB / 8 });
        await system.client.temporal.workflow.getHandle(first.workflowId).terminate();
        await until(() => system.uploads()[0]?.status === 'cancelled', 'the upload to end');
        system.api.configure({ bandwidthBytesPerSecond: null });
        const { counts } = await runSync(system, sync);
        expect(counts).toMatchObject({ sent: { files: 1 }, failed: 0 });
        expect(system.uploads().map(({ status }) => status)).toEqual(['cancelled', 'completed']);
      },
      { bandwidthBytesPerSecond: 3 * MiB },
    ));

  it('gets its memory from Temporal when a schedule starts it', () =>
    withFolder({ 'a.jsonl': 'a\n' }, async (system, folder) => {
      const { temporal: client, taskQueue, host } = system.client;
      const request: SyncRequest = { source: { type: 'folder', path: folder, host }, purpose, delete: true };
      const workflowId = `night-${taskQueue}`;
      const schedule = await client.schedule.create({
        scheduleId: workflowId,
        spec: {},
        action: { type: 'startWorkflow', workflowType: 'syncSource', args: [request], taskQueue, workflowId },
      });
      const night = async (): Promise<SyncResult> => {
        const { info } = await schedule.describe();
        await schedule.trigger();
        await until(async () => (await schedule.describe()).info.numActionsTaken > info.numActionsTaken, 'a run');
        const { recentActions } = (await schedule.describe()).info;
        const { workflow } = (recentActions.at(-1) as (typeof recentActions)[0]).action;
        const run = client.workflow.getHandle(workflow.workflowId, workflow.firstExecutionRunId);
        const result = (await run.result()) as SyncResult;
        // The list of runs, where the next one looks for this one's memory, is a moment behind.
        const query = `RunId = "${workflow.firstExecutionRunId}" AND ExecutionStatus = "Completed"`;
        await until(async () => (await client.workflow.count(query)).count === 1, 'the run to be listed');
        return result;
      };
      try {
        expect((await night()).counts).toMatchObject({ sent: { files: 1 } });
        await rename(join(folder, 'a.jsonl'), join(folder, 'b.jsonl'));
        expect((await night()).counts).toMatchObject({ knownContent: 1, sent: { files: 0 }, deleted: 0 });
        await writeFiles(folder, { 'c.jsonl': 'c\n' });
        await rm(join(folder, 'b.jsonl'));
        expect((await night()).counts).toMatchObject({ sent: { files: 1 }, deleted: 1 });
      } finally {
        await schedule.delete();
      }
    }));
});
