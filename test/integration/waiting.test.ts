import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { FailureType, type UploadHandle } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { md5, randomFile } from '../support/random-file.ts';
import { MiB, partsReceived, withSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const purpose = 'batch';
const partSizeBytes = MiB;

function toWait(handle: UploadHandle, sessions: number): Promise<void> {
  const waits = async () => {
    const { state, sessionsOpened } = await handle.status();
    return state === 'waiting' && sessionsOpened === sessions;
  };
  return until(waits, 'the upload to wait');
}

describe('an upload that meets what a person can repair', () => {
  it('waits with the reason in plain words, loses nothing, and goes on when told', () =>
    withSystem(async ({ client, startWorker, directory, api, uploads, download }) => {
      await startWorker();
      const file = join(directory, 'forbidden.bin');
      const content = await randomFile(file, 6 * MiB);
      api.faults.add({ route: 'create', kind: 'status', status: 401 });
      api.faults.add({ route: 'part', kind: 'status', status: 403, skip: 3, count: 20 });
      const handle = await client.upload({ file, purpose, partSizeBytes, concurrency: 1 });

      await toWait(handle, 0);
      expect(await handle.status()).toMatchObject({ waiting: { failureType: FailureType.ApiRejected } });
      expect((await handle.status()).waiting?.reason).toMatch(/refuses the key.*401/);
      expect(uploads()).toEqual([]);
      await handle.retry();
      await toWait(handle, 1);
      expect(await handle.status()).toMatchObject({ partsDone: 3, partsInFlight: 0 });
      await handle.retry();
      await until(() => (api.stats().requests['part']?.['403'] ?? 0) === 2, 'one part to probe');
      await toWait(handle, 1);

      api.faults.clear();
      expect(await handle.retry()).toMatchObject({ partsDone: 3 });
      const result = await handle.result();
      expect(result).toMatchObject({ sessions: 1, partsSent: 8 });
      expect(md5(await download(result.file.id))).toBe(md5(content));
      expect(uploads()).toMatchObject([{ partsReceived: 6, completions: 1 }]);
    }));

  it('goes on by itself when the trouble has passed', () =>
    withSystem(async ({ client, startWorker, directory, api }) => {
      await startWorker();
      const file = join(directory, 'renewed.bin');
      await randomFile(file, 3 * MiB);
      api.faults.add({ route: 'part', kind: 'status', status: 429, code: 'insufficient_quota', count: 3 });
      const handle = await client.upload({ file, purpose, partSizeBytes, giveUpAfterMs: 3000 });
      await toWait(handle, 1);
      api.faults.clear();
      expect(await handle.result()).toMatchObject({ sessions: 1, parts: 3 });
    }));

  it('fails with its session cancelled when it has waited long enough', () =>
    withSystem(async ({ client, startWorker, directory, api, uploads }) => {
      await startWorker();
      const file = join(directory, 'hopeless.bin');
      await randomFile(file, 3 * MiB);
      api.faults.add({ route: 'part', kind: 'status', status: 403, count: 1000 });
      const handle = await client.upload({ file, purpose, partSizeBytes, giveUpAfterMs: 1000 });
      await expect(handle.result()).rejects.toMatchObject({ failureType: FailureType.ApiRejected });
      expect(uploads()).toMatchObject([{ status: 'cancelled' }]);
    }));

  it('takes trouble that outlasts a round of attempts for something to wait for', () =>
    withSystem(async ({ client, startWorker, directory, api }) => {
      await startWorker();
      const file = join(directory, 'down.bin');
      await randomFile(file, MiB);
      api.faults.add({ route: 'part', kind: 'status', status: 503, retryAfterSeconds: 0.1, count: 1000 });
      const handle = await client.upload({ file, purpose, partSizeBytes });
      await toWait(handle, 1);
      expect(api.stats().requests).toMatchObject({ part: { 503: 10 } });
      api.faults.clear();
      await handle.retry();
      expect(await handle.result()).toMatchObject({ sessions: 1, partsSent: 11 });
    }));

  it('waits for a file that is moved away, and goes on when the same file is back', () =>
    withSystem(
      async (system) => {
        const { client, startWorker, directory, download } = system;
        await startWorker();
        const file = join(directory, 'moved.bin');
        const content = await randomFile(file, 8 * MiB);
        const handle = await client.upload({ file, purpose, partSizeBytes, concurrency: 2 });
        await partsReceived(system, 2);
        await rename(file, `${file}.away`);
        await toWait(handle, 1);
        expect((await handle.status()).waiting?.reason).toMatch(/bring it back.*moved\.bin/);
        await rename(`${file}.away`, file);
        await handle.retry();
        const result = await handle.result();
        expect(result.sessions).toBe(1);
        expect(md5(await download(result.file.id))).toBe(md5(content));
      },
      { bandwidthBytesPerSecond: 4 * MiB },
    ));

  it('keeps waiting when its sessions end meanwhile, and does not count them', () =>
    withSystem(
      async ({ client, startWorker, directory, api, download }) => {
        await startWorker();
        const file = join(directory, 'patient.bin');
        const content = await randomFile(file, 3 * MiB);
        api.faults.add({ route: 'part', kind: 'status', status: 403, count: 1000 });
        const handle = await client.upload({ file, purpose, partSizeBytes, maxSessions: 1 });
        await toWait(handle, 1);
        const since = (await handle.status()).waiting?.sinceMs;
        await until(async () => (await handle.retry()).sessionsOpened >= 3, 'two more sessions');
        api.configure({ sessionLifeSeconds: 3600 });
        await until(async () => (await handle.retry()).sessionsOpened >= 4, 'a session that lasts');
        expect((await handle.status()).waiting?.sinceMs).toBe(since);
        api.faults.clear();
        await handle.retry();
        const result = await handle.result();
        expect(md5(await download(result.file.id))).toBe(md5(content));
      },
      { sessionLifeSeconds: 2 },
    ));

  it.each(['part', 'complete'] as const)('goes on in a new session when a probing %s finds the old one over', (route) =>
    withSystem(async ({ client, startWorker, directory, api, uploads, download }) => {
      await startWorker();
      const file = join(directory, 'too-late.bin');
      const content = await randomFile(file, 2 * MiB);
      api.faults.add({ route, kind: 'status', status: 401 });
      api.faults.add({ route, kind: 'expire' });
      const handle = await client.upload({ file, purpose, partSizeBytes, concurrency: 1 });
      await toWait(handle, 1);
      await handle.retry();
      const result = await handle.result();
      expect(result.sessions).toBe(2);
      expect(uploads().map(({ status }) => status)).toEqual(['expired', 'completed']);
      expect(md5(await download(result.file.id))).toBe(md5(content));
    }),
  );

  it('goes on when the probe was stopped by a pause', () =>
    withSystem(
      async (system) => {
        const { client, startWorker, directory, api } = system;
        await startWorker();
        const file = join(directory, 'stopped.bin');
        await randomFile(file, 2 * MiB);
        api.faults.add({ route: 'part', kind: 'status', status: 403 });
        const handle = await client.upload({ file, purpose, partSizeBytes, concurrency: 1 });
        await toWait(handle, 1);
        await handle.retry();
        const before = api.stats().totals.bytesReceived;
        await until(() => api.stats().totals.bytesReceived > before, 'bytes of the probe');
        expect(await handle.pause({ parts: 'stop' })).toMatchObject({ partsDone: 0, partsInFlight: 0 });
        api.configure({ bandwidthBytesPerSecond: null });
        await handle.resume();
        expect(await handle.result()).toMatchObject({ sessions: 1, parts: 2 });
      },
      { bandwidthBytesPerSecond: MiB / 4 },
    ));

  it('can be cancelled while it waits', () =>
    withSystem(async ({ client, startWorker, directory, api, uploads }) => {
      await startWorker();
      const file = join(directory, 'given-up.bin');
      await randomFile(file, 3 * MiB);
      api.faults.add({ route: 'part', kind: 'status', status: 403, count: 1000 });
      const handle = await client.upload({ file, purpose, partSizeBytes });
      await toWait(handle, 1);
      await handle.cancel();
      await expect(handle.result()).rejects.toMatchObject({ code: 'UPLOAD_CANCELLED' });
      expect(uploads()).toMatchObject([{ status: 'cancelled' }]);
    }));
});

it('a session that can take no more parts in time is replaced before a part is refused', () =>
  withSystem(
    async (system) => {
      const { client, startWorker, directory, api, uploads, download } = system;
      await startWorker();
      const file = join(directory, 'slow.bin');
      const content = await randomFile(file, 8 * MiB);
      const handle = await client.upload({ file, purpose, partSizeBytes, concurrency: 2 });
      await partsReceived(system, 2);
      await handle.pause();
      await until(() => uploads()[0]?.status === 'expired', 'the session to expire');
      api.configure({ bandwidthBytesPerSecond: null, sessionLifeSeconds: 3600 });
      await handle.resume();
      const result = await handle.result();
      expect(result.sessions).toBe(2);
      expect(api.stats().requests['part']).toEqual({ 200: expect.any(Number) });
      expect(md5(await download(result.file.id))).toBe(md5(content));
    },
    { bandwidthBytesPerSecond: 4 * MiB, sessionLifeSeconds: 3 },
  ));
