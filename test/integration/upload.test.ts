import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FailureType, type JobEvent } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { md5, randomFile } from '../support/random-file.ts';
import { MiB, withSystem } from '../support/system.ts';

const purpose = 'assistants';
const partSizeBytes = MiB;

describe('an upload', () => {
  it('creates one File with the exact bytes, and a receipt', () =>
    withSystem(async ({ client, startWorker, directory, uploads, download }) => {
      await startWorker();
      const file = join(directory, 'train.jsonl');
      const content = await randomFile(file, 2.5 * MiB);

      const handle = await client.upload({ file, purpose, partSizeBytes });
      const result = await handle.result();

      expect(result).toMatchObject({
        workflowId: handle.workflowId,
        bytes: content.length,
        md5: md5(content),
        parts: 3,
        partsSent: 3,
        sessions: 1,
        file: { filename: 'train.jsonl', purpose, bytes: content.length },
      });
      expect(md5(await download(result.file.id))).toBe(md5(content));
      expect(uploads()).toMatchObject([{ id: result.uploadId, status: 'completed', partsReceived: 3, completions: 1 }]);
    }));

  it('of a small file computes the MD5 from its only part', () =>
    withSystem(async ({ client, startWorker, directory }) => {
      await startWorker();
      const file = join(directory, 'small.jsonl');
      const content = await randomFile(file, 8 * MiB);

      const handle = await client.upload({ file, purpose });
      expect(await handle.result()).toMatchObject({ md5: md5(content), parts: 1 });
      const { events } = await client.temporal.workflow.getHandle(handle.workflowId).fetchHistory();
      const activities = (events ?? []).flatMap((event) => event.activityTaskScheduledEventAttributes ?? []);
      const names = activities.map(({ activityType }) => activityType?.name);
      expect(names).toEqual(['inspectSource', 'createUpload', 'uploadPart', 'completeUpload']);
      const completion = activities.at(-1)?.input?.payloads?.[0]?.data;
      expect(JSON.parse(Buffer.from(completion ?? []).toString())).toMatchObject({ md5: md5(content) });
    }));

  it('reports its progress, with bytes within parts, until it completes', () =>
    withSystem(
      async ({ client, startWorker, directory }) => {
        await startWorker();
        const file = join(directory, 'slow.bin');
        // A part is larger than the buffers of a connection.
        await randomFile(file, 20 * MiB);

        const handle = await client.upload({ file, purpose, partSizeBytes: 16 * MiB });
        const events: JobEvent[] = [];
        for await (const event of handle.progress({ intervalMs: 100 })) events.push(event);

        expect(events.at(-1)).toEqual({ type: 'ended', status: 'COMPLETED' });
        const sent = events.flatMap((event) => (event.type === 'progress' ? [event.bytesSent] : []));
        expect(sent).toEqual(sent.toSorted((a, b) => a - b));
        expect(sent.some((bytes) => bytes % (16 * MiB) !== 0)).toBe(true);
      },
      { bandwidthBytesPerSecond: 7 * MiB },
    ));

  it('is returned for the same request while it runs and after it completed, unless "again" is set', () =>
    withSystem(async ({ client, startWorker, directory, uploads }) => {
      const file = join(directory, 'same.bin');
      await randomFile(file, 2 * MiB);

      const first = await client.upload({ file, purpose, partSizeBytes });
      const second = await client.upload({ file, purpose, partSizeBytes });
      expect([first.resumed, second.resumed]).toEqual([false, true]);
      await startWorker();
      const { file: uploaded } = await first.result();

      const third = await client.upload({ file, purpose });
      expect(third.resumed).toBe(true);
      expect((await third.result()).file.id).toBe(uploaded.id);
      expect(uploads()).toHaveLength(1);

      const again = await client.upload({ file, purpose, again: true });
      expect(again.resumed).toBe(false);
      expect((await again.result()).file.id).not.toBe(uploaded.id);
      expect(uploads()).toHaveLength(2);
    }));

  it('of a changed file is a new upload', () =>
    withSystem(async ({ client, directory }) => {
      const file = join(directory, 'changing.bin');
      await writeFile(file, 'first');
      const before = await client.upload({ file, purpose });
      await writeFile(file, 'second');
      const after = await client.upload({ file, purpose });
      expect(after.workflowId).not.toBe(before.workflowId);
      expect(after.resumed).toBe(false);
    }));

  it('rejects an ID that belongs to another file', () =>
    withSystem(async ({ client, directory }) => {
      await writeFile(join(directory, 'a'), 'a');
      await writeFile(join(directory, 'b'), 'b');
      const id = `nightly-${client.taskQueue}`;
      await client.upload({ file: join(directory, 'a'), purpose, id });
      await expect(client.upload({ file: join(directory, 'b'), purpose, id })).rejects.toMatchObject({
        code: 'JOB_ID_TAKEN',
      });
    }));

  it('sends no MD5 if the option md5 is false', () =>
    withSystem(async ({ client, startWorker, directory, download }) => {
      await startWorker();
      const file = join(directory, 'plain.bin');
      const content = await randomFile(file, MiB + 1);
      const result = await (await client.upload({ file, purpose, partSizeBytes, md5: false })).result();
      expect(result.md5).toBeNull();
      expect(md5(await download(result.file.id))).toBe(md5(content));
    }));
});

describe('an upload that cannot succeed', () => {
  it("fails immediately with the API's message if the service rejects its creation", () =>
    withSystem(async ({ client, startWorker, directory, api }) => {
      await startWorker();
      const file = join(directory, 'refused.bin');
      await randomFile(file, 100);
      const handle = await client.upload({ file, purpose: 'no-such-purpose' });
      const failure = await handle.result().catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'JOB_FAILED', failureType: FailureType.ApiRejected });
      expect((failure as Error).message).toMatch(/purpose/);
      expect(api.stats().requests).toMatchObject({ create: { 400: 1 } });
    }));

  it('reports every problem of a request from another language', () =>
    withSystem(async ({ client, startWorker, taskQueue }) => {
      await startWorker();
      const wrong = { source: { type: 'file', path: 'relative' }, partSize: 1 };
      const started = await client.temporal.workflow.start('uploadFile', {
        taskQueue,
        workflowId: `wrong-${taskQueue}`,
        args: [wrong],
      });
      const failure = await client
        .getHandle(started.workflowId)
        .result()
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ failureType: FailureType.InvalidRequest });
      expect((failure as Error).message).toMatch(/"purpose" is missing.*absolute path.*"partSize" is not a property/);
    }));
});

describe('an upload with errors', () => {
  it('resends a part after a reset, a 503 and a lost response, and respects Retry-After', () =>
    withSystem(async ({ client, startWorker, directory, api, download }) => {
      await startWorker();
      const file = join(directory, 'bumpy.bin');
      const content = await randomFile(file, 3 * MiB);
      api.faults.add({ route: 'part', kind: 'reset', afterBytes: 1000 });
      api.faults.add({ route: 'part', kind: 'status', status: 503 });
      api.faults.add({ route: 'part', kind: 'lost-answer' });
      api.faults.add({ route: 'create', kind: 'status', status: 429, retryAfterSeconds: 2 });
      const startedAtMs = Date.now();
      const result = await (await client.upload({ file, purpose, partSizeBytes })).result();
      expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(2000);
      expect(result).toMatchObject({ parts: 3, partsSent: 6, sessions: 1 });
      expect(md5(await download(result.file.id))).toBe(md5(content));
    }));
});
