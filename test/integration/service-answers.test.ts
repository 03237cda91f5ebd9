import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FailureType, type JobHandle, type UploadProgress } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { randomFile } from '../support/random-file.ts';
import { MiB, withSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

const purpose = 'batch';
const partSizeBytes = MiB;

async function start({ client, directory }: System, sizeBytes = 3 * MiB, options = {}): Promise<JobHandle<'upload'>> {
  const file = join(directory, 'data.bin');
  await randomFile(file, sizeBytes);
  return client.upload({ file, purpose, partSizeBytes, ...options });
}

async function waits(handle: JobHandle<'upload'>) {
  await until(async () => (await handle.status()).state === 'waiting', 'the upload to wait');
  return (await handle.status()).waiting;
}

describe('an upload whose service asks for a pause', () => {
  it.each(['create', 'part', 'complete'] as const)(
    'of two days at the %s call waits with the time of the service, and resumes at retry',
    (route) =>
      withSystem(async (system) => {
        await system.startWorker();
        const headers = { 'retry-after': '198300' };
        system.api.faults.add({ route, kind: 'status', status: 429, headers, count: 1000 });
        const handle = await start(system);
        const waiting = await waits(handle);
        const inMs = (timeMs = 0) => timeMs - Date.now();
        expect(waiting).toMatchObject({ failureType: FailureType.ApiUnavailable, status: 429 });
        expect(waiting?.reason).toMatch(/requested a pause until \d{4}-\d\d-\d\dT.*429/);
        expect(inMs(waiting?.retryAtMs)).toBeGreaterThan(198_000_000);
        expect(inMs(waiting?.nextProbeAtMs)).toBeGreaterThan(3_500_000);
        expect(inMs(waiting?.nextProbeAtMs)).toBeLessThanOrEqual(3_600_000);
        system.api.faults.clear();
        await handle.retry();
        expect(await handle.result()).toMatchObject({ sessions: 1, parts: 3, partSizeBytes });
      }),
  );

  it('longer than the retry period probes for the last time when that period ends', () =>
    withSystem(async (system) => {
      await system.startWorker();
      const headers = { 'retry-after': '3600' };
      system.api.faults.add({ route: 'create', kind: 'status', status: 503, headers });
      const handle = await start(system, 3 * MiB, { giveUpAfterMs: 1500 });
      await waits(handle);
      expect(await handle.result()).toMatchObject({ sessions: 1 });
    }));

  it('of 400 digits at every call is retried as usual', () =>
    withSystem(async (system) => {
      await system.startWorker();
      const headers = { 'retry-after': '9'.repeat(400) };
      for (const route of ['create', 'part', 'complete'] as const) {
        system.api.faults.add({ route, kind: 'status', status: 429, headers });
      }
      expect(await (await start(system)).result()).toMatchObject({ sessions: 1, parts: 3 });
    }));
});

describe('an upload whose service', () => {
  it('does not know the size of the new File yet, returns the size of the session', () =>
    withSystem(async (system) => {
      await system.startWorker();
      system.api.faults.add({ route: 'complete', kind: 'alter', set: { '/file/bytes': null } });
      const { file } = await (await start(system)).result();
      expect(file.bytes).toBe(3 * MiB);
    }));

  it('returns no end of the session, assumes one hour', () =>
    withSystem(async (system) => {
      await system.startWorker();
      system.api.faults.add({ route: 'create', kind: 'alter', remove: ['/expires_at'], set: { '/status': 'created' } });
      const handle = await start(system);
      expect(await handle.result()).toMatchObject({ sessions: 1, orphanedSessions: 0 });
      const workflow = system.client.temporal.workflow.getHandle(handle.workflowId);
      const { session } = await workflow.query<UploadProgress>('progress');
      expect((session?.expiresAt ?? 0) - (session?.createdAt ?? 0)).toBe(3600);
    }));

  it('returns an end of the session that cannot be, cancels that session', () =>
    withSystem(async (system) => {
      await system.startWorker();
      for (const time of [1e300, 'soon']) {
        system.api.faults.add({ route: 'create', kind: 'alter', set: { '/expires_at': time } });
      }
      expect(await (await start(system)).result()).toMatchObject({ sessions: 1, orphanedSessions: 0 });
      expect(system.uploads().map(({ status }) => status)).toEqual(['cancelled', 'cancelled', 'completed']);
    }));

  it('returns IDs that cannot be, gets another attempt', () =>
    withSystem(async (system) => {
      await system.startWorker();
      system.api.faults.add({ route: 'create', kind: 'alter', set: { '/id': '..' } });
      system.api.faults.add({ route: 'part', kind: 'alter', set: { '/id': 'x'.repeat(MiB) } });
      system.api.faults.add({ route: 'complete', kind: 'alter', set: { '/file/id': 'a\u001b[2J' } });
      const { file } = await (await start(system)).result();
      expect(file.id).toMatch(/^file-/);
    }));

  it('rejects all parts in flight (400) as another client cancelled the session, gets one new session', () =>
    withSystem(async (system) => {
      await system.startWorker();
      system.api.faults.add({ route: 'part', kind: 'cancel' });
      expect(await (await start(system)).result()).toMatchObject({ sessions: 2 });
    }));

  it("rejects the parts of both sessions (400), fails with the service's message", () =>
    withSystem(async (system) => {
      await system.startWorker();
      const body = { error: { message: 'this project takes no bytes' } };
      system.api.faults.add({ route: 'part', kind: 'status', status: 400, body, count: 1000 });
      const result = (await start(system)).result();
      await expect(result).rejects.toMatchObject({
        failureType: FailureType.ApiRejected,
        message: expect.stringContaining('this project takes no bytes'),
      });
      expect(system.uploads().map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
    }));

  it('rejects large parts (413), gets a new session with smaller ones', () =>
    withSystem(async (system) => {
      await system.startWorker();
      system.api.faults.add({ route: 'part', kind: 'status', status: 413, overBytes: 2.5 * MiB, count: 1000 });
      const handle = await start(system, 9 * MiB, { partSizeBytes: 8 * MiB, maxSessions: 1 });
      expect(await handle.result()).toMatchObject({ sessions: 3, parts: 5, partSizeBytes: 2 * MiB });
    }));

  it('rejects even the smallest parts (413), fails', () =>
    withSystem(async (system) => {
      await system.startWorker();
      system.api.faults.add({ route: 'part', kind: 'status', status: 413, count: 1000 });
      const result = (await start(system, 3 * MiB, { partSizeBytes: 2 * MiB })).result();
      await expect(result).rejects.toMatchObject({ failureType: FailureType.ApiRejected });
      expect(system.uploads()).toHaveLength(2);
    }));
});

describe('a sync', () => {
  async function folder({ directory }: System, files: number): Promise<string> {
    const path = join(directory, 'folder');
    await mkdir(path);
    const names = Array.from({ length: files }, (_, index) => `${String(index).padStart(3, '0')}.txt`);
    await Promise.all(names.map((name) => writeFile(join(path, name), `content of ${name}`)));
    return path;
  }

  it('delivers all of 120 small files to a service that rejects 30% of all calls with 429', () =>
    withSystem(async (system) => {
      await system.startWorker();
      const source = await folder(system, 120);
      const headers = { 'retry-after': '0.02' };
      system.api.faults.add({ route: '*', kind: 'status', status: 429, headers, probability: 0.3, seed: 7 });
      const sync = await system.client.sync({ folder: source, purpose, maxConcurrentUploads: 40 });
      expect((await sync.result()).counts).toMatchObject({ sent: { files: 120 }, failed: 0 });
      expect(system.uploads().length).toBeLessThan(124);
      expect(system.uploads().filter(({ status }) => status === 'completed')).toHaveLength(120);
    }));

  it('sends a small file in one new session after its part was rejected (400), and fails after a second time', () =>
    withSystem(async (system) => {
      await system.startWorker();
      const source = await folder(system, 1);
      const run = async () => (await system.client.sync({ folder: source, purpose })).result();
      system.api.faults.add({ route: 'part', kind: 'status', status: 400, count: 2 });
      expect(await run()).toMatchObject({
        counts: { failed: 1 },
        problems: [{ failureType: FailureType.ApiRejected }],
      });
      system.api.faults.add({ route: 'part', kind: 'status', status: 400 });
      expect((await run()).counts).toMatchObject({ sent: { files: 1 }, failed: 0 });
      const statuses = system.uploads().map(({ status }) => status);
      expect(statuses).toEqual(['cancelled', 'cancelled', 'cancelled', 'completed']);
    }));

  it('uses the part size that the service accepts for all its large files', () =>
    withSystem(async (system) => {
      await system.startWorker();
      const source = join(system.directory, 'large');
      await mkdir(source);
      for (const name of ['a', 'b']) await randomFile(join(source, name), 3 * MiB);
      system.api.faults.add({ route: 'part', kind: 'status', status: 413, overBytes: 2 * MiB, count: 1000 });
      const sync = await system.client.sync({ folder: source, purpose, maxConcurrentUploads: 1 });
      expect((await sync.result()).counts).toMatchObject({ sent: { files: 2 } });
      expect(system.uploads().map(({ status }) => status)).toEqual(['cancelled', 'completed', 'completed']);
    }));

  it('skips rows of the files list that it cannot read, reports them, and postpones deletions', () =>
    withSystem(async (system) => {
      await system.startWorker();
      const source = await folder(system, 3);
      const run = async (options = {}) => (await system.client.sync({ folder: source, purpose, ...options })).result();
      await run();
      await rm(join(source, '000.txt'));

      const other = { id: 'file-x', bytes: null, created_at: 'soon', filename: 'x', purpose: 'vision' };
      const listed = (row: unknown) => system.api.faults.add({ route: 'list', kind: 'alter', set: { '/data/-': row } });
      listed({ ...other, purpose });
      const postponed = await run({ delete: true });
      expect(postponed.counts).toMatchObject({ same: 2, unreadableRows: 1, deleted: 0 });
      expect(postponed.deletionsHeld).toContain('1 row of the files list');

      listed(other);
      expect((await run({ delete: true })).counts).toMatchObject({ same: 2, deleted: 1 });
    }));
});
