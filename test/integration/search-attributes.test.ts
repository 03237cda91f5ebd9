import { join } from 'node:path';
import type { UploadHandle } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { SearchAttributes } from '../../src/contracts/search-attributes.ts';
import { linesFile } from '../support/lines-file.ts';
import { randomFile } from '../support/random-file.ts';
import { manyFiles, runSync, writeFiles } from '../support/sync-folder.ts';
import { MiB, partsReceived, withSystem, type System } from '../support/system.ts';
import { withTemporalServer } from '../support/temporal-with-flags.ts';
import { until } from '../support/until.ts';

const purpose = 'batch';
const partSizeBytes = MiB;

/** What the list shows: the id and the attributes of each workflow that a query finds. */
async function list({ client }: System, query: string): Promise<Map<string, Record<string, unknown>>> {
  const found = new Map<string, Record<string, unknown>>();
  const ours = `TaskQueue = "${client.taskQueue}" AND ExecutionStatus != "ContinuedAsNew" AND (${query})`;
  for await (const { workflowId, typedSearchAttributes } of client.client.workflow.list({ query: ours })) {
    const pairs = typedSearchAttributes.getAll().filter(({ key }) => key.name.startsWith('Longhaul'));
    found.set(workflowId, Object.fromEntries(pairs.map(({ key, value }) => [key.name, value])));
  }
  return found;
}

/** The list is a moment behind. */
async function listed(system: System, query: string, ids: readonly string[]): Promise<Record<string, unknown>[]> {
  const wanted = ids.toSorted().join();
  let found = new Map<string, Record<string, unknown>>();
  const isThere = async () => {
    found = await list(system, query);
    return [...found.keys()].toSorted().join() === wanted;
  };
  await until(isThere, `${query} to find exactly ${wanted}`, 10_000).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}; it finds ${[...found.keys()].join()}`);
  });
  return ids.map((id) => found.get(id) ?? {});
}

/** Bytes of one File's Upload that the API has, by its own count. */
function receivedBytes({ uploads }: System, filename: string): number {
  return uploads()
    .filter((upload) => upload.filename === filename)
    .reduce((sum, { bytesReceived }) => sum + bytesReceived, 0);
}

describe('the list of Temporal UI', () => {
  it('finds by each attribute exactly the uploads that it is true of, with bytes to the byte', () =>
    withSystem(async (system) => {
      const { api, client, directory, startWorker } = system;
      await startWorker();
      const upload = async (name: string, parts: number): Promise<UploadHandle> => {
        const file = join(directory, name);
        await randomFile(file, parts * MiB - 7);
        return client.upload({
          file,
          purpose: name.startsWith('f') ? 'fine-tune' : purpose,
          partSizeBytes,
          concurrency: 2,
        });
      };
      const completed = await upload('completed.bin', 3);
      const receipt = await completed.result();
      api.faults.add({ route: 'create', kind: 'status', status: 422 });
      const failed = await upload('failed.bin', 2);
      await failed.result().catch(() => {});
      api.faults.add({ route: 'part', kind: 'status', status: 403, count: 1000 });
      const waiting = await upload('waiting.bin', 2);
      await until(async () => (await waiting.status()).state === 'waiting', 'the upload to wait');
      api.faults.clear();
      api.configure({ bandwidthBytesPerSecond: 4 * MiB });
      const paused = await upload('paused.bin', 20);
      await until(() => receivedBytes(system, 'paused.bin') > 2 * MiB, 'some parts');
      await paused.pause();
      api.configure({ bandwidthBytesPerSecond: MiB / 4 });
      const cancelled = await upload('cancelled.bin', 2);
      await until(async () => (await cancelled.status()).state === 'uploading', 'the upload to run');
      await cancelled.cancel();
      await cancelled.result().catch(() => {});
      const running = await upload('running.bin', 2);
      const id = ({ workflowId }: UploadHandle) => workflowId;
      const all = [completed, failed, waiting, paused, cancelled, running].map(id);

      await listed(system, 'LonghaulState = "uploading"', [id(running)]);
      const [isPaused] = await listed(system, 'LonghaulState = "paused"', [id(paused)]);
      await listed(system, 'LonghaulState = "waiting"', [id(waiting)]);
      await listed(system, 'LonghaulState = "cancelled"', [id(cancelled)]);
      const [isFailed] = await listed(system, 'LonghaulState = "failed"', [id(failed)]);
      const [isCompleted] = await listed(system, 'LonghaulState = "completed"', [id(completed)]);
      await listed(system, 'LonghaulReason = "ApiRejected"', [id(failed), id(waiting)]);
      await listed(system, 'LonghaulReason IS NOT NULL', [id(failed), id(waiting)]);
      await listed(system, 'LonghaulPurpose = "fine-tune"', [id(failed)]);
      await listed(system, 'LonghaulDestination = "default"', all);
      await listed(system, 'LonghaulFilename STARTS_WITH "paused"', [id(paused)]);
      await listed(system, `LonghaulFileId = "${receipt.file.id}"`, [id(completed)]);
      await listed(system, `LonghaulBytes > ${3 * MiB}`, [id(paused)]);
      await listed(system, 'LonghaulPercent = 100', [id(completed)]);
      await listed(system, 'LonghaulPercent > 0 AND LonghaulPercent < 100', [id(paused)]);
      await listed(system, 'LonghaulEndsTooEarly = true', []);

      expect(isCompleted).toMatchObject({
        LonghaulBytes: 3 * MiB - 7,
        LonghaulBytesDone: receivedBytes(system, 'completed.bin'),
        LonghaulFileId: receipt.file.id,
      });
      expect(receivedBytes(system, 'completed.bin')).toBe(3 * MiB - 7);
      expect(isFailed).toMatchObject({ LonghaulFilename: 'failed.bin', LonghaulPurpose: 'fine-tune' });
      const received = receivedBytes(system, 'paused.bin');
      expect(isPaused).toMatchObject({ LonghaulBytes: 20 * MiB - 7, LonghaulBytesDone: received });
      expect(await paused.status()).toMatchObject({ bytesDone: received, partsInFlight: 0 });
    }));
});
