import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { md5, randomFile } from '../support/random-file.ts';
import { MiB, partsReceived, withSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const purpose = 'assistants';
const partSizeBytes = MiB;

const refused = (message: RegExp) => ({ code: 'STEERING_REFUSED', message: expect.stringMatching(message) });

describe('controlling an upload', () => {
  it('pauses with no part in flight, changes its concurrency, stops parts on request, and resumes', () =>
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

        api.configure({ bandwidthBytesPerSecond: MiB / 4 });
        expect((await handle.resume()).state).toBe('uploading');
        await until(() => api.stats().totals.partsBegun >= received + 5, 'five parts in flight');
        // As Temporal UI asks for them.
        const details = client.temporal.workflow.getHandle(handle.workflowId).query('__temporal_workflow_metadata');
        expect(await details).toMatchObject({
          currentDetails: expect.stringContaining('5 in flight, at most 5 at a time'),
        });
        const { partsDone } = paused;
        expect(await handle.pause({ parts: 'stop' })).toMatchObject({ state: 'paused', partsInFlight: 0, partsDone });
        expect(api.stats().totals.partsReceived).toBe(partsDone);
        api.configure({ bandwidthBytesPerSecond: null });
        await handle.resume();
        const result = await handle.result();
        expect(md5(await download(result.file.id))).toBe(md5(content));
      },
      { bandwidthBytesPerSecond: 6 * MiB },
    ));

  it('cancels the session with the upload, and sends nothing afterwards', () =>
    withSystem(
      async (system) => {
        const { client, startWorker, directory, uploads, api } = system;
        await startWorker();
        const file = join(directory, 'cancelled.bin');
        await randomFile(file, 8 * MiB);
        const handle = await client.upload({ file, purpose, partSizeBytes, concurrency: 1 });
        await partsReceived(system, 1);
        await handle.cancel();
        await expect(handle.result()).rejects.toMatchObject({ code: 'JOB_CANCELLED' });
        expect(uploads()).toMatchObject([{ status: 'cancelled', completions: 0 }]);
        expect(api.stats().requests).toMatchObject({ cancel: { 200: 1 } });
        // Aborted parts are not responses (one of them may have been stored just before, when its answer was on
        // its way); one that was still sent would be stored, or rejected with a status.
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

  it('reaches a worker whose process has shut down another worker', () =>
    withSystem(
      async (system) => {
        const { client, startWorker, directory, api } = system;
        const [other] = [await startWorker(), await startWorker()];
        const file = join(directory, 'shared.bin');
        await randomFile(file, 3 * MiB);
        const handle = await client.upload({ file, purpose, partSizeBytes, concurrency: 1 });
        await partsReceived(system, 1);
        // From here on, the upload must not complete before it is retuned.
        api.configure({ bandwidthBytesPerSecond: MiB / 8 });
        await other.shutdown();
        expect(await handle.retune({ concurrency: 2 })).toMatchObject({ concurrency: 2 });
        api.configure({ bandwidthBytesPerSecond: null });
        await handle.result();
      },
      { bandwidthBytesPerSecond: 4 * MiB },
    ));

  it('rejects a control that has no effect, and reports the task queue without a worker', () =>
    withSystem(async ({ client, startWorker, directory, api, taskQueue }) => {
      const file = join(directory, 'done.bin');
      await randomFile(file, 10);
      const handle = await client.upload({ file, purpose });
      const [{ value: event }] = await Promise.all([
        handle.progress()[Symbol.asyncIterator]().next(),
        expect(handle.pause()).rejects.toMatchObject({ code: 'NO_WORKER' }),
      ]);
      expect(event).toEqual({
        type: 'no-answer',
        reason: `no worker polls task queue "${taskQueue}". Start "longhaul worker".`,
      });
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

describe('a job that another program started, before its first activity', () => {
  const head = ['kind', 'state', 'filename', 'bytesTotal', 'bytesDone', 'partsInFlight', 'waiting', 'startedAtMs'];
  const ofHost = { host: 'without-worker' };
  const file = { type: 'file', path: '/data/café/a.jsonl', ...ofHost };

  it.each([
    ['uploadFile', file, 'a.jsonl', { concurrency: 2 }],
    ['uploadSplitFile', file, 'a.jsonl', { concurrency: 2 }],
    ['syncSource', { type: 'folder', path: '/data', ...ofHost }, '/data', refused(/it is a sync/)],
  ])(
    '%s returns the head of the progress, and rejects a control with a typo',
    async (type, source, filename, retuned) =>
      withSystem(async ({ client, startWorker, taskQueue }) => {
        await startWorker({ roles: ['control'] });
        const workflowId = `${taskQueue}-${type}`;
        const raw = await client.temporal.workflow.start(type, {
          workflowId,
          taskQueue,
          args: [{ source, purpose }],
        });
        const progress = await raw.query<object>('progress');
        expect(progress).toMatchObject({ filename });
        expect(Object.keys(progress).slice(0, head.length)).toEqual(head);
        const handle = client.getHandle(workflowId);
        for (const [input, message] of [
          [{ part: 'stop' }, '"part" is not a property of a pause'],
          [{ whileCompleting: 'yes' }, '"whileCompleting" must be true or false'],
          ['stop', 'a pause must be an object'],
        ] as const)
          await expect(handle.pause(input as never)).rejects.toMatchObject({ code: 'STEERING_REFUSED', message });
        expect(await handle.retune({ concurrency: 2 }).catch((error: unknown) => error)).toMatchObject(retuned);
        await handle.cancel();
        await expect(handle.result()).rejects.toMatchObject({ code: 'JOB_CANCELLED' });
        const closed = await handle.status();
        expect(closed).toMatchObject({ state: 'cancelled', filename });
        expect(Object.keys(closed).slice(0, head.length)).toEqual(head);
      }),
  );
});
