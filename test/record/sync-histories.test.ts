import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setupSearchAttributes } from 'longhaul';
import { describe, it } from 'vitest';
import { randomFile } from '../support/random-file.ts';
import { manyFiles, runSync } from '../support/sync-folder.ts';
import { MiB, partsReceived, withSystem, type System, type SystemOptions } from '../support/system.ts';
import { withTemporalServer } from '../support/temporal-with-flags.ts';
import { until } from '../support/until.ts';
import { saveHistories } from './save-histories.ts';
import { writeFiles } from '../support/temp-dir.ts';

const purpose = 'batch';

function record(
  name: string,
  options: SystemOptions,
  act: (system: System, folder: string) => Promise<string>,
): Promise<void> {
  return withSystem(async (system) => {
    const folder = join(system.directory, 'data');
    await writeFiles(folder, manyFiles(6));
    await randomFile(join(folder, 'large.bin'), 2 * MiB);
    await system.startWorker();
    await saveHistories(name, system, await act(system, folder));
  }, options);
}

describe('recording', () => {
  it('a sync that sent, one that a rename and a removal followed, and a dry run', () =>
    record('sync', {}, async (system, folder) => {
      const sync = { folder, purpose, delete: true };
      await runSync(system, sync);
      await rename(join(folder, 'many/0001.jsonl'), join(folder, 'moved.jsonl'));
      await rm(join(folder, 'many/0002.jsonl'));
      await writeFiles(folder, { 'new.jsonl': 'new' });
      const dry = await runSync(system, { ...sync, dryRun: true });
      await saveHistories('sync-dry-run', system, dry.workflowId);
      return (await runSync(system, sync)).workflowId;
    }));

  it('a sync that was started by name, paused, waited and had failures', () =>
    record('sync-steered', {}, async ({ api, client }, folder) => {
      api.faults.add({ route: 'list', kind: 'status', status: 401 });
      api.faults.add({ route: 'create', kind: 'status', status: 401, skip: 1 });
      api.faults.add({ route: 'create', kind: 'status', status: 422, skip: 3 });
      const workflowId = `recorded-${client.taskQueue}`;
      const request = { source: { type: 'folder', path: folder, host: client.host }, purpose, maxConcurrentUploads: 1 };
      await client.temporal.workflow.start('syncSource', { workflowId, taskQueue: client.taskQueue, args: [request] });
      const handle = client.getHandle<'sync'>(workflowId);
      const waits = () => until(async () => (await handle.status()).state === 'waiting', 'the sync to wait');
      await waits();
      await handle.pause();
      await handle.retry();
      await until(async () => (await handle.status()).state === 'paused', 'the pause');
      await handle.resume();
      await waits();
      await handle.retry();
      await handle.result();
      return workflowId;
    }));

  it('a sync that was cancelled', () =>
    record('sync-cancelled', { bandwidthBytesPerSecond: MiB }, async (system, folder) => {
      const handle = await system.client.sync({ folder, purpose, upload: { partSizeBytes: MiB, concurrency: 1 } });
      await partsReceived(system, 1);
      await until(() => system.uploads().some(({ filename }) => filename === 'large.bin'), 'the large file');
      await handle.cancel();
      await handle.result().catch(() => {});
      return handle.workflowId;
    }));

  it('a sync that continued as new', () =>
    withTemporalServer({ 'limit.historyCount.suggestContinueAsNew': 20 }, (temporalAddress) =>
      record('sync-continued', { temporalAddress }, async (system, folder) => {
        await setupSearchAttributes(system.client.temporal);
        await writeFiles(folder, manyFiles(120));
        return (await runSync(system, { folder, purpose, delete: true, maxConcurrentUploads: 1 })).workflowId;
      }),
    ));
});
