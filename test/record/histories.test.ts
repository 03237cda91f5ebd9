import { join } from 'node:path';
import { setupSearchAttributes } from 'longhaul';
import { describe, it } from 'vitest';
import { startCli } from '../support/cli.ts';
import { linesFile } from '../support/lines-file.ts';
import { randomFile } from '../support/random-file.ts';
import { requestRateId, reserveTurns } from '../support/reserve-turns.ts';
import { MiB, partsReceived, withSystem, type System, type SystemOptions } from '../support/system.ts';
import { withTemporalServer } from '../support/temporal-with-flags.ts';
import { until } from '../support/until.ts';
import { saveHistories } from './save-histories.ts';

function record(
  name: string,
  sizeMiB: number,
  options: SystemOptions,
  act: (system: System, file: string) => Promise<string>,
) {
  return withSystem(async (system) => {
    const file = join(system.directory, 'recorded.jsonl');
    await randomFile(file, sizeMiB * MiB);
    await saveHistories(name, system, await act(system, file));
  }, options);
}

const purpose = 'batch';
const partSizeBytes = MiB;

/** Each history is one path through the workflow's code. Record them again only after an intended change of the workflow. */
describe('recording', () => {
  it('an upload without incident', () =>
    record('straight', 4, {}, async ({ client, startWorker }, file) => {
      await startWorker();
      const handle = await client.upload({ file, purpose, partSizeBytes });
      await handle.result();
      return handle.workflowId;
    }));

  it('an upload in a namespace without search attributes', () =>
    withTemporalServer({}, (temporalAddress) =>
      record('without-attributes', 4, { temporalAddress }, async ({ client, startWorker }, file) => {
        await startWorker();
        const handle = await client.upload({ file, purpose, partSizeBytes });
        await handle.result();
        return handle.workflowId;
      }),
    ));

  it('an upload of a small file, and one that was retuned into parts', async () => {
    await record('small', 3, {}, async ({ client, startWorker }, file) => {
      await startWorker();
      const handle = await client.upload({ file, purpose });
      await handle.result();
      return handle.workflowId;
    });
    await record('small-retuned', 3, {}, async ({ client, startWorker, api }, file) => {
      await startWorker();
      api.faults.add({ route: 'create', kind: 'status', status: 401 });
      const handle = await client.upload({ file, purpose });
      await until(async () => (await handle.status()).state === 'waiting', 'the upload to wait');
      await handle.retune({ partSizeBytes });
      await handle.retry();
      await handle.result();
      return handle.workflowId;
    });
  });

  it('an upload whose worker was killed', () =>
    record('interrupted', 8, { bandwidthBytesPerSecond: 4 * MiB }, async (system, file) => {
      const first = startCli(['worker', '--slots', '2'], system.environment);
      await until(() => first.said().includes('worker on '), 'the worker');
      const handle = await system.client.upload({
        file,
        purpose,
        partSizeBytes,
        concurrency: 2,
        heartbeatTimeoutMs: 2000,
      });
      await partsReceived(system, 3);
      first.child.kill('SIGKILL');
      await first.ended;
      await system.startWorker();
      await handle.result();
      return handle.workflowId;
    }));

  it('an upload whose session was replaced', () =>
    record('session-replaced', 3, {}, async ({ client, startWorker, api }, file) => {
      await startWorker({ transferSlots: 1 });
      api.faults.add({ route: 'part', kind: 'expire', skip: 1 });
      const handle = await client.upload({ file, purpose, partSizeBytes });
      await handle.result();
      return handle.workflowId;
    }));

  it('an upload that was paused both ways, retuned and resumed', () =>
    record('steered', 8, { bandwidthBytesPerSecond: 4 * MiB }, async (system, file) => {
      await system.startWorker();
      const handle = await system.client.upload({ file, purpose, partSizeBytes, concurrency: 2 });
      await partsReceived(system, 2);
      await handle.pause();
      await handle.retune({ concurrency: 4 });
      await handle.resume();
      await partsReceived(system, 4);
      await handle.pause({ parts: 'stop' });
      await handle.resume();
      await handle.result();
      return handle.workflowId;
    }));

  it('an upload that was cancelled', () =>
    record('cancelled', 8, { bandwidthBytesPerSecond: 4 * MiB }, async (system, file) => {
      await system.startWorker();
      const handle = await system.client.upload({ file, purpose, partSizeBytes });
      await partsReceived(system, 1);
      await handle.cancel();
      await handle.result().catch(() => {});
      return handle.workflowId;
    }));

  it('an upload that the service refused', () =>
    record('refused', 1, {}, async ({ client, startWorker, api }, file) => {
      await startWorker();
      api.faults.add({ route: 'part', kind: 'status', status: 422 });
      const handle = await client.upload({ file, purpose, partSizeBytes });
      await handle.result().catch(() => {});
      return handle.workflowId;
    }));

  it('an upload that waited for an operator and resumed', () =>
    record('waited', 3, {}, async ({ client, startWorker, api }, file) => {
      await startWorker();
      api.faults.add({ route: 'create', kind: 'status', status: 401 });
      api.faults.add({ route: 'part', kind: 'status', status: 403, count: 2 });
      const handle = await client.upload({ file, purpose, partSizeBytes, concurrency: 2 });
      const waits = () => until(async () => (await handle.status()).state === 'waiting', 'the upload to wait');
      await waits();
      await handle.retry();
      await until(async () => (await handle.status()).session !== null, 'the session');
      await waits();
      await handle.retry();
      await handle.result();
      return handle.workflowId;
    }));

  it('an upload whose session had expired when it resumed', () =>
    record('waited-too-long', 3, {}, async ({ client, startWorker, api }, file) => {
      await startWorker();
      api.faults.add({ route: 'complete', kind: 'status', status: 401 });
      api.faults.add({ route: 'complete', kind: 'expire' });
      const handle = await client.upload({ file, purpose, partSizeBytes, concurrency: 2 });
      await until(async () => (await handle.status()).state === 'waiting', 'the upload to wait');
      await handle.retry();
      await handle.result();
      return handle.workflowId;
    }));

  it('a split upload, a piece of which was refused, and the same again', () =>
    withSystem(async (system) => {
      const { client, directory: home, startWorker, api } = system;
      await startWorker();
      const file = join(home, 'recorded.jsonl');
      await linesFile(file, 5 * MiB);
      api.faults.add({ route: 'create', kind: 'status', status: 422, skip: 1 });
      const upload = () => client.uploadSplit({ file, purpose, partSizeBytes, pieceSizeBytes: 2 * MiB });
      const refused = await upload();
      await refused.result().catch(() => {});
      await saveHistories('split-refused', system, refused.workflowId);
      await (await upload()).result();
      await saveHistories('split-again', system, refused.workflowId);
    }));

  it('a split upload that was steered', () =>
    withSystem(
      async (system) => {
        const { client, directory: home, startWorker } = system;
        await startWorker();
        const file = join(home, 'recorded.jsonl');
        await linesFile(file, 5 * MiB);
        const handle = await client.uploadSplit({ file, purpose, partSizeBytes, pieceSizeBytes: 3 * MiB });
        await partsReceived(system, 1);
        await handle.pause({ parts: 'stop' });
        await handle.retune({ concurrency: 2 });
        await handle.resume();
        await handle.retry();
        await handle.result();
        await saveHistories('split-steered', system, handle.workflowId);
      },
      { bandwidthBytesPerSecond: 4 * MiB },
    ));

  it('a split upload that was cancelled', () =>
    withSystem(
      async (system) => {
        const { client, directory: home, startWorker } = system;
        await startWorker();
        const file = join(home, 'recorded.jsonl');
        await linesFile(file, 5 * MiB);
        const handle = await client.uploadSplit({ file, purpose, partSizeBytes, pieceSizeBytes: 3 * MiB });
        await partsReceived(system, 1);
        await handle.cancel();
        await handle.result().catch(() => {});
        await saveHistories('split-cancelled', system, handle.workflowId);
      },
      { bandwidthBytesPerSecond: 4 * MiB },
    ));

  it('an upload that continued as new', () =>
    withTemporalServer({ 'limit.historyCount.suggestContinueAsNew': 60 }, (temporalAddress) =>
      record('continued', 16, { temporalAddress }, async ({ client, startWorker }, file) => {
        await setupSearchAttributes(client.temporal);
        await startWorker();
        const handle = await client.upload({ file, purpose, partSizeBytes, concurrency: 4 });
        await handle.result();
        return handle.workflowId;
      }),
    ));

  it('a rate of requests that continued as new', () =>
    withTemporalServer({ 'limit.historyCount.suggestContinueAsNew': 40 }, (temporalAddress) =>
      withSystem(
        async (system) => {
          await system.startWorker();
          for (let ask = 0; ask < 12; ask++) await reserveTurns(system, 2, 1000);
          await saveHistories('request-rate', system, requestRateId(system));
        },
        { temporalAddress },
      ),
    ));
});
