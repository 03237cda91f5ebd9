import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FailureType, type JobFailedError, type SplitUploadResult } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { linesFile } from '../support/lines-file.ts';
import { md5 } from '../support/random-file.ts';
import { MiB, partsReceived, withSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

const purpose = 'assistants';
const partSizeBytes = MiB;

/** The Files of a split upload are the source, each within the limit and ending where a line does. */
async function expectWhole(
  { download }: System,
  { files }: SplitUploadResult,
  content: Buffer,
  limitBytes: number,
): Promise<void> {
  const pieces = await Promise.all(files.map(({ id }) => download(id)));
  expect(md5(Buffer.concat(pieces))).toBe(md5(content));
  for (const piece of pieces) expect(piece.byteLength).toBeLessThanOrEqual(limitBytes);
  for (const piece of pieces.slice(0, -1)) expect(piece.at(-1)).toBe('\n'.charCodeAt(0));
}

const completed = ({ uploads }: System) => uploads().filter(({ status }) => status === 'completed');

describe('a split upload', () => {
  it('becomes Files of nearly equal size, named in their order, which together are the source', () =>
    withSystem(async (system) => {
      const { client, directory, startWorker } = system;
      await startWorker();
      const file = join(directory, 'train.jsonl');
      const content = await linesFile(file, 3.5 * MiB, { lineEnd: '\r\n' });

      const handle = await client.uploadSplit({ file, purpose, partSizeBytes, pieceSizeBytes: 1.5 * MiB });
      const result = await handle.result();

      expect(result.files.map(({ filename }) => filename)).toEqual([
        'train-00001-of-00003.jsonl',
        'train-00002-of-00003.jsonl',
        'train-00003-of-00003.jsonl',
      ]);
      expect(result).toMatchObject({ workflowId: handle.workflowId, bytes: content.byteLength });
      await expectWhole(system, result, content, 1.5 * MiB);
      for (const { bytes } of result.files) expect(Math.abs(bytes - (3.5 * MiB) / 3)).toBeLessThan(64 * 1024);
      for (const { md5: digest, file: uploaded } of result.pieces)
        expect(md5(await system.download(uploaded.id))).toBe(digest);

      const again = await client.uploadSplit({ file, purpose, partSizeBytes, pieceSizeBytes: 1.5 * MiB });
      expect(again.resumed).toBe(true);
      expect((await again.result()).files).toEqual(result.files);
      expect(system.uploads()).toHaveLength(3);
    }));

  it('rejects a line that is longer than a File, a changed file and an invalid piece size, before any session', () =>
    withSystem(async ({ client, directory, startWorker, uploads }) => {
      await startWorker();
      const file = join(directory, 'long-line.jsonl');
      const short = await linesFile(file, 2 * MiB);
      const start = short.lastIndexOf('\n') + 1;
      await writeFile(
        file,
        Buffer.concat([short.subarray(0, start), Buffer.alloc(MiB + 1, 'x'), Buffer.from('\n{}\n')]),
      );

      const handle = await client.uploadSplit({ file, purpose, pieceSizeBytes: MiB });
      const failure = await handle.result().catch((error: unknown) => error);
      expect(failure).toMatchObject({ failureType: FailureType.LineTooLong });
      expect((failure as Error).message).toMatch(new RegExp(`starts at byte ${start} is longer than 1 MiB`));

      const other = await client.uploadSplit({
        source: { type: 'file', path: file },
        purpose,
        pieceSizeBytes: 2 * MiB,
        expectedFingerprint: 'another',
      });
      await expect(other.result()).rejects.toMatchObject({ failureType: FailureType.SourceChanged });
      await expect(client.uploadSplit({ file, purpose, pieceSizeBytes: 0 })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
      });
      expect(uploads()).toEqual([]);
    }));

  it('completes the other pieces if one fails, and sends only that piece if it is started again', () =>
    withSystem(async (system) => {
      const { client, directory, startWorker, api } = system;
      await startWorker();
      const file = join(directory, 'refused.jsonl');
      const content = await linesFile(file, 2.4 * MiB);
      const options = { file, purpose, pieceSizeBytes: MiB };
      api.faults.add({ route: 'create', kind: 'status', status: 422, skip: 1 });

      const failure = await (await client.uploadSplit(options)).result().catch((error: unknown) => error);
      expect(failure).toMatchObject({ failureType: FailureType.PiecesFailed });
      const { pieces = [], message } = failure as JobFailedError;
      expect(pieces.map(({ state }) => state)).toEqual(['completed', 'failed', 'completed']);
      expect(pieces[1]).toMatchObject({ failureType: FailureType.ApiRejected });
      expect(message).toMatch(
        /1 of 3 pieces have no File: 2 \(.*\)\. Pieces with a File: 1 file-\w+, 3 file-\w+\. Start the same upload again/,
      );
      expect(completed(system)).toHaveLength(2);

      const handle = await client.uploadSplit(options);
      expect(handle.resumed).toBe(false);
      const result = await handle.result();
      expect(result.files[0]?.id).toBe(pieces[0]?.fileId);
      expect(result.files[2]?.id).toBe(pieces[2]?.fileId);
      await expectWhole(system, result, content, MiB);
      expect(completed(system)).toHaveLength(3);

      const again = await (await client.uploadSplit({ ...options, again: true })).result();
      expect(again.files.map(({ id }) => id)).not.toContain(result.files[0]?.id);
      expect(completed(system)).toHaveLength(6);
    }));

  it('does not use the Files of the earlier content if a changed file has the same ID', () =>
    withSystem(async (system) => {
      const { client, directory, startWorker, api } = system;
      await startWorker();
      const file = join(directory, 'same-id.jsonl');
      await linesFile(file, 1.5 * MiB);
      const options = { file, purpose, pieceSizeBytes: MiB, id: `split-${client.taskQueue}` };
      api.faults.add({ route: 'create', kind: 'status', status: 422, skip: 1 });
      await expect((await client.uploadSplit(options)).result()).rejects.toMatchObject({ code: 'JOB_FAILED' });

      const content = await linesFile(file, 1.5 * MiB);
      await expectWhole(system, await (await client.uploadSplit(options)).result(), content, MiB);
    }));

  it('continues after it was terminated, when the running piece has closed its session', () =>
    withSystem(
      async (system) => {
        const { client, directory, startWorker, api } = system;
        await startWorker();
        const file = join(directory, 'terminated.jsonl');
        const content = await linesFile(file, 3 * MiB);
        const options = { file, purpose, partSizeBytes, pieceSizeBytes: 1.25 * MiB };
        const handle = await client.uploadSplit(options);
        await until(() => completed(system).length === 1, 'the first piece');
        api.configure({ bandwidthBytesPerSecond: MiB / 8 });
        await until(() => system.uploads().length === 2, 'the second piece');
        await client.temporal.workflow.getHandle(handle.workflowId).terminate();

        const again = await client.uploadSplit(options);
        await until(() => system.uploads()[1]?.status === 'cancelled', 'the second piece to end its session');
        api.configure({ bandwidthBytesPerSecond: null });
        await expectWhole(system, await again.result(), content, 1.25 * MiB);
        expect(system.uploads().map(({ status }) => status)).toEqual([
          'completed',
          'cancelled',
          'completed',
          'completed',
        ]);
      },
      { bandwidthBytesPerSecond: MiB },
    ));

  it('forwards pause, resume and retune to its piece, and reports its progress for all pieces', () =>
    withSystem(
      async (system) => {
        const { client, directory, startWorker } = system;
        await startWorker();
        const file = join(directory, 'steered.jsonl');
        const content = await linesFile(file, 7.5 * MiB);
        const handle = await client.uploadSplit({
          file,
          purpose,
          partSizeBytes,
          pieceSizeBytes: 4.5 * MiB,
          concurrency: 1,
        });
        await partsReceived(system, 1);
        const paused = await handle.pause();
        expect(paused).toMatchObject({ state: 'paused', partsInFlight: 0, bytesTotal: 7.5 * MiB, partsTotal: 8 });
        expect(paused.partsDone).toBeGreaterThan(0);
        expect(paused.pieces.map(({ state }) => state)).toEqual(['uploading', 'pending']);
        const [first] = paused.pieces;
        const piece = client.getHandle(first?.workflowId as string);
        expect(await piece.status()).toMatchObject({ state: 'paused' });
        expect(await handle.status()).toMatchObject({ state: 'paused', bytesDone: paused.bytesDone });

        expect(await handle.retune({ concurrency: 7 })).toMatchObject({ concurrency: 7 });
        expect(await piece.status()).toMatchObject({ concurrency: 7 });
        system.api.configure({ bandwidthBytesPerSecond: null });
        const sent: number[] = [];
        const watched = (async () => {
          for await (const event of handle.progress({ intervalMs: 50 }))
            if (event.type === 'progress') sent.push(event.bytesSent);
        })();
        expect(await handle.resume()).toMatchObject({ state: 'uploading' });
        const result = await handle.result();
        await watched;
        expect(sent).toEqual(sent.toSorted((a, b) => a - b));
        await expectWhole(system, result, content, 4.5 * MiB);
        const second = client.getHandle(`${handle.workflowId}-00002-of-00002`);
        expect(await second.status()).toMatchObject({ state: 'completed', partsDone: 4 });
        expect(await handle.status()).toMatchObject({ state: 'completed', bytesDone: 7.5 * MiB, partsDone: 8 });
        await expect(handle.pause()).rejects.toMatchObject({ code: 'STEERING_REFUSED' });
      },
      { bandwidthBytesPerSecond: 2 * MiB },
    ));
});
