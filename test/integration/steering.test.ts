import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { md5, randomFile } from '../support/random-file.ts';
import { MiB, partsReceived, withSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const purpose = 'batch';
const partSizeBytes = MiB;

const refused = (message: RegExp) => ({ code: 'STEERING_REFUSED', message: expect.stringMatching(message) });

describe('steering an upload', () => {
  it('pauses with no part in flight, changes its concurrency, and goes on when told', () =>
    withSystem(
      async (system) => {
        const { client, startWorker, directory, api, download } = system;
        await startWorker();
        const file = join(directory, 'paused.bin');
        const content = await randomFile(file, 12 * MiB);
        const handle = await client.upload({ file, purpose, partSizeBytes, concurrency: 2 });
        await partsReceived(system, 2);

        const paused = await handle.pause();
        expect(paused).toMatchObject({ state: 'paused', partsInFlight: 0 });
        const received = api.stats().totals.partsBegun;
        expect(await handle.pause()).toEqual(paused);
        expect(await handle.retune({ concurrency: 5 })).toMatchObject({ concurrency: 5, state: 'paused' });
        expect(api.stats().totals.partsBegun).toBe(received);

        expect((await handle.resume()).state).toBe('uploading');
        const result = await handle.result();
        expect(result.partsSent).toBe(12);
        expect(md5(await download(result.file.id))).toBe(md5(content));
      },
      { bandwidthBytesPerSecond: 6 * MiB },
    ));

  it('says which task queue lacks a worker', () =>
    withSystem(async ({ client, taskQueue, directory }) => {
      const file = join(directory, 'left.bin');
      await randomFile(file, MiB);
      const handle = await client.upload({ file, purpose });
      const { value: event } = await handle.progress()[Symbol.asyncIterator]().next();
      expect(event).toEqual({ type: 'no-answer', reason: `no worker serves the task queue ${taskQueue}` });
      await expect(handle.pause()).rejects.toMatchObject({ code: 'NO_WORKER' });
    }));

  it('breaks parts off when a pause must not wait, and sends them later', () =>
    withSystem(
      async (system) => {
        const { client, startWorker, directory, uploads, download, api } = system;
        await startWorker();
        const file = join(directory, 'stopped.bin');
        const content = await randomFile(file, 8 * MiB);
        const handle = await client.upload({ file, purpose, partSizeBytes: 4 * MiB });
        for await (const event of handle.progress({ intervalMs: 50 }))
          if (event.type === 'progress' && event.bytesSent > 0) break;

        expect(await handle.pause({ parts: 'stop' })).toMatchObject({
          state: 'paused',
          partsInFlight: 0,
          partsDone: 0,
        });
        expect(uploads()).toMatchObject([{ partsReceived: 0 }]);
        api.configure({ bandwidthBytesPerSecond: null });
        await handle.resume();
        const result = await handle.result();
        expect(md5(await download(result.file.id))).toBe(md5(content));
      },
      { bandwidthBytesPerSecond: MiB },
    ));

  it('cancels the session with the upload, and sends nothing afterwards', () =>
    withSystem(
      async (system) => {
        const { client, startWorker, directory, uploads, api } = system;
        await startWorker();
        const file = join(directory, 'cancelled.bin');
        await randomFile(file, 8 * MiB);
        const handle = await client.upload({ file, purpose, partSizeBytes });
        await partsReceived(system, 1);
        await handle.cancel();
        await expect(handle.result()).rejects.toMatchObject({ code: 'JOB_CANCELLED' });
        expect(uploads()).toMatchObject([{ status: 'cancelled', completions: 0 }]);
        expect(api.stats().requests).toMatchObject({ cancel: { 200: 1 } });
        // Parts that were broken off are no answers (one of them may have been stored just before, when its answer was on
        // its way); one that was still sent would be stored, or refused with a status.
        const stored = api.stats().totals.partsReceived;
        const outcomes = () => api.stats().requests['part'] ?? {};
        const over = () => Object.values(outcomes()).reduce((sum, count) => sum + count, 0);
        await until(() => over() === api.stats().totals.partsBegun, 'all parts to be over');
        const { 200: taken, ...others } = outcomes();
        expect(api.stats().totals.partsReceived).toBe(stored);
        expect(taken).toBeLessThanOrEqual(stored);
        expect(Object.keys(others).filter((outcome) => outcome !== 'aborted')).toEqual([]);
      },
      { bandwidthBytesPerSecond: 2 * MiB },
    ));

  it('that is cancelled while it completes is completed, as the service may be done already', () =>
    withSystem(async ({ client, startWorker, directory, api, uploads }) => {
      await startWorker();
      const file = join(directory, 'late.bin');
      await randomFile(file, 10);
      api.configure({ latencyMs: 1500 });
      const handle = await client.upload({ file, purpose });
      await until(async () => (await handle.status()).state === 'completing', 'the completion');
      await expect(handle.pause()).rejects.toMatchObject(refused(/nothing left to pause/));
      await handle.cancel();
      const result = await handle.result();
      expect(uploads()).toMatchObject([{ status: 'completed', fileId: result.file.id }]);
    }));

  it('refuses what makes no sense, in words', () =>
    withSystem(async ({ client, startWorker, directory, api }) => {
      const file = join(directory, 'done.bin');
      await randomFile(file, 10);
      const handle = await client.upload({ file, purpose });
      await expect(handle.pause()).rejects.toMatchObject({ code: 'NO_WORKER' });
      await startWorker();
      await handle.result();
      await expect(handle.pause()).rejects.toMatchObject({ code: 'STEERING_REFUSED' });
      api.configure({ latencyMs: 1500 });
      const [unverified, split] = await Promise.all([
        client.upload({ file, purpose, md5: false, id: `${handle.workflowId}-unverified` }),
        client.uploadSplit({ file, purpose, id: `${handle.workflowId}-split` }),
      ]);
      const rejects = (one: typeof unverified | typeof split, message: RegExp) =>
        expect(one.retune({ ignoreInode: true })).rejects.toMatchObject(refused(message));
      await Promise.all([
        rejects(unverified, /"ignoreInode" needs the MD5/),
        rejects(split, /"ignoreInode" cannot be used for a split upload/),
      ]);
      await Promise.all([unverified.result(), split.result()]);
      await expect(client.getHandle('no-such-upload').resume()).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
    }));
});
