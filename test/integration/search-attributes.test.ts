import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Runtime } from '@temporalio/worker';
import { AttributeConflictError, SetupRefusedError } from 'longhaul/errors';
import { LonghaulClient, setupSearchAttributes, type JobHandle } from 'longhaul';
import { describe, expect, it, vi } from 'vitest';
import { beginWorker, runCli, startWorkerProcess } from '../support/cli.ts';
import { linesFile } from '../support/lines-file.ts';
import { randomFile } from '../support/random-file.ts';
import { manyFiles, runSync } from '../support/sync-folder.ts';
import { MiB, withSystem, type System } from '../support/system.ts';
import { withTemporalServer } from '../support/temporal-with-flags.ts';
import { until } from '../support/until.ts';
import { writeFiles } from '../support/temp-dir.ts';

const purpose = 'assistants';
const partSizeBytes = MiB;
/** A namespace that has no room for all attributes. */
const FULL = 'full';
/** The number of the type in Temporal. */
const KEYWORD = 2;

/** What the list shows: the id and the attributes of each workflow that a query finds. */
async function list({ client }: System, query: string): Promise<Map<string, Record<string, unknown>>> {
  const found = new Map<string, Record<string, unknown>>();
  const ours = `TaskQueue = "${client.taskQueue}" AND ExecutionStatus != "ContinuedAsNew" AND (${query})`;
  for await (const { workflowId, typedSearchAttributes } of client.temporal.workflow.list({ query: ours })) {
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

/** Events of history that changed search attributes, over all executions of a workflow. */
async function upserts({ client }: System, workflowId: string): Promise<number> {
  let count = 0;
  for (let runId: string | undefined = ''; runId !== undefined;) {
    const { events } = await client.temporal.workflow.getHandle(workflowId, runId || undefined).fetchHistory();
    count += (events ?? []).filter((event) => event.upsertWorkflowSearchAttributesEventAttributes).length;
    runId = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || undefined;
  }
  return count;
}

describe('the list of Temporal UI', () => {
  it('finds exactly the matching uploads by each attribute, with exact byte counts', () =>
    withSystem(async (system) => {
      const { api, client, directory, startWorker } = system;
      await startWorker();
      const upload = async (name: string, parts: number): Promise<JobHandle<'upload'>> => {
        const file = join(directory, name);
        await randomFile(file, parts * MiB - 7);
        return client.upload({
          file,
          purpose: name.startsWith('f') ? 'vision' : purpose,
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
      // A part in flight that succeeds after the faults are cleared would end the wait.
      const isWaiting = async () => {
        const { state, partsInFlight } = await waiting.status();
        return state === 'waiting' && partsInFlight === 0;
      };
      await until(isWaiting, 'the upload to wait with no part in flight');
      api.faults.clear();
      api.configure({ bandwidthBytesPerSecond: 4 * MiB });
      // Many, so that parts that complete after the pause do not reach another step.
      const paused = await upload('paused.bin', 60);
      await until(() => receivedBytes(system, 'paused.bin') > 2 * MiB, 'some parts');
      await paused.pause();
      api.configure({ bandwidthBytesPerSecond: MiB / 4 });
      const cancelled = await upload('cancelled.bin', 2);
      await until(async () => (await cancelled.status()).state === 'uploading', 'the upload to run');
      await cancelled.cancel();
      await cancelled.result().catch(() => {});
      const running = await upload('running.bin', 2);
      const id = ({ workflowId }: JobHandle<'upload'>) => workflowId;
      const all = [completed, failed, waiting, paused, cancelled, running].map(id);

      await listed(system, 'LonghaulState = "uploading"', [id(running)]);
      const [isPaused] = await listed(system, 'LonghaulState = "paused"', [id(paused)]);
      await listed(system, 'LonghaulState = "waiting"', [id(waiting)]);
      await listed(system, 'LonghaulState = "cancelled"', [id(cancelled)]);
      const [isFailed] = await listed(system, 'LonghaulState = "failed"', [id(failed)]);
      const [isCompleted] = await listed(system, 'LonghaulState = "completed"', [id(completed)]);
      await listed(system, 'LonghaulReason STARTS_WITH "ApiRejected"', [id(failed), id(waiting)]);
      await listed(system, 'LonghaulReason = "ApiRejected 403"', [id(waiting)]);
      await listed(system, 'LonghaulReason = "ApiRejected 422"', [id(failed)]);
      await listed(system, 'LonghaulReason IS NOT NULL', [id(failed), id(waiting)]);
      await listed(system, 'LonghaulPurpose = "vision"', [id(failed)]);
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
      expect(isFailed).toMatchObject({ LonghaulFilename: 'failed.bin', LonghaulPurpose: 'vision' });
      const received = receivedBytes(system, 'paused.bin');
      expect(isPaused).toMatchObject({ LonghaulBytes: 60 * MiB - 7, LonghaulBytesDone: received });
      expect(await paused.status()).toMatchObject({ bytesDone: received, partsInFlight: 0 });
    }));

  it('shows the pieces of a split upload and the files of a sync with their parent', () =>
    withSystem(async (system) => {
      const { client, directory, startWorker } = system;
      await startWorker();
      await linesFile(join(directory, 'whole.jsonl'), 3 * MiB);
      const split = await client.uploadSplit({
        file: join(directory, 'whole.jsonl'),
        purpose,
        partSizeBytes,
        pieceSizeBytes: 2 * MiB,
      });
      const { pieces } = await split.result();
      const [whole, ...ofPieces] = await listed(system, 'LonghaulState = "completed"', [
        split.workflowId,
        ...pieces.map(({ workflowId }) => workflowId),
      ]);
      expect(whole).toMatchObject({
        LonghaulFilename: 'whole.jsonl',
        LonghaulBytesDone: 3 * MiB,
        LonghaulPercent: 100,
      });
      expect(ofPieces.map((piece) => piece['LonghaulFileId'])).toEqual(pieces.map(({ file }) => file.id));
      await listed(system, 'ParentWorkflowId IS NULL', [split.workflowId]);

      const folder = join(directory, 'data');
      await writeFiles(folder, manyFiles(3));
      await randomFile(join(folder, 'large.bin'), 2 * MiB);
      const { workflowId, counts } = await runSync(system, { folder, purpose });
      const [sync] = await listed(system, 'WorkflowType = "syncSource" AND LonghaulState = "completed"', [workflowId]);
      expect(sync).toMatchObject({
        LonghaulState: 'completed',
        LonghaulFilename: folder,
        LonghaulBytes: counts.toSend.bytes,
        LonghaulBytesDone: counts.sent.bytes,
      });
      const large = 'LonghaulFilename = "large.bin" AND LonghaulState = "completed"';
      await until(async () => (await list(system, large)).size === 1, large);
      expect([...(await list(system, large)).values()]).toMatchObject([
        { LonghaulPercent: 100, LonghaulPurpose: purpose },
      ]);
    }));

  it('shows uploads that a service without the library started with only the state', () =>
    withSystem(async (system) => {
      const { client, directory, startWorker, taskQueue } = system;
      await startWorker();
      const file = join(directory, 'from-go.bin');
      await randomFile(file, MiB);
      const start = (name: string, request: object) =>
        client.temporal.workflow.start('uploadFile', {
          workflowId: `${name}-${taskQueue}`,
          taskQueue,
          args: [request],
          typedSearchAttributes: [{ key: { name: 'LonghaulState', type: 'KEYWORD' }, value: 'inspecting' }],
        });
      const good = await start('good', { source: { type: 'file', path: file }, purpose });
      const wrong = await start('wrong', { source: { type: 'file', path: file }, purpose, partSize: 3 });
      await good.result();
      await wrong.result().catch(() => {});
      const [isGood] = await listed(system, 'LonghaulState = "completed"', [good.workflowId]);
      expect(isGood).toMatchObject({
        LonghaulFilename: 'from-go.bin',
        LonghaulPurpose: purpose,
        LonghaulDestination: 'default',
        LonghaulPercent: 100,
      });
      await listed(system, 'LonghaulState = "failed" AND LonghaulReason = "InvalidRequest"', [wrong.workflowId]);
    }));

  it('does not keep "waiting" after a small file resumes', () =>
    withSystem(async (system) => {
      const { client, directory, startWorker, api } = system;
      await startWorker();
      const file = join(directory, 'small.bin');
      await randomFile(file, MiB);
      api.faults.add({ route: 'part', kind: 'status', status: 401 });
      api.faults.add({ route: 'complete', kind: 'status', status: 503, retryAfterSeconds: 1, count: 5 });
      const handle = await client.upload({ file, purpose });
      await listed(system, 'LonghaulState = "waiting"', [handle.workflowId]);
      await handle.retry();
      const [shown] = await listed(system, 'LonghaulState = "uploading"', [handle.workflowId]);
      expect(shown).not.toHaveProperty('LonghaulReason');
      api.faults.clear();
      await handle.result();
    }));

  it('shows the runs of a schedule', () =>
    withSystem(async (system) => {
      const { client, directory, startWorker } = system;
      await startWorker();
      const path = join(directory, 'nightly.bin');
      await randomFile(path, MiB);
      const name = `shown-${client.taskQueue}`;
      const upload = { source: { type: 'file', path }, purpose } as const;
      await client.schedules.create({ name, upload, cron: ['0 2 1 1 *'] });
      try {
        const workflowId = (await client.schedules.trigger(name)) ?? '';
        await client.getHandle(workflowId).result();
        await listed(system, 'LonghaulState = "completed" AND LonghaulFilename = "nightly.bin"', [workflowId]);
      } finally {
        await client.schedules.delete(name);
      }
    }));

  it('accepts each query in the documentation', () =>
    withSystem(async (system) => {
      const docs = await readFile(new URL('../../docs/operating.md', import.meta.url), 'utf8');
      const section = docs.slice(docs.indexOf('### Queries'), docs.indexOf('### Updates'));
      const rows = [...section.matchAll(/^\| .+ \| `(.+)` \|$/gm)].map(([, query]) => query ?? '');
      const addresses = [...section.matchAll(/workflows\?query=(\S+)$/gm)].map(([, query]) =>
        decodeURIComponent((query ?? '').replaceAll('+', ' ')),
      );
      expect([rows.length, addresses.length]).toEqual([13, 5]);
      for (const query of [...rows, ...addresses]) expect(await list(system, query)).toEqual(new Map());
    }));
});

/** Uploads before and after a worker registers the attributes, which then show the later upload. */
async function expectRegistration(system: System): Promise<void> {
  const { client, directory, environment } = system;
  const warn = vi.spyOn(Runtime.instance().logger, 'warn');
  const worker = await beginWorker(environment);
  const [short, long] = [join(directory, 'short.bin'), join(directory, 'long.bin')];
  await randomFile(short, 3 * MiB);
  await randomFile(long, 20 * MiB);
  const options = { purpose, partSizeBytes, concurrency: 4 };
  const plain = await client.upload({ ...options, file: short });
  expect(await plain.result()).toMatchObject({ parts: 3 });
  expect(await upserts(system, plain.workflowId)).toBe(0);
  expect(warn).not.toHaveBeenCalledWith(expect.stringContaining('search attributes'));
  warn.mockRestore();

  const { stdout } = await runCli(['setup', '--json'], environment);
  const added = JSON.parse(stdout).attributes.map((one: { added: boolean }) => one.added);
  expect(added).toEqual(Array.from({ length: 10 }, () => false));

  // The worker that registered them waits for a minute. Another worker finds them.
  worker.interrupt();
  await worker.ended;
  await beginWorker(environment);
  const shown = await client.upload({ ...options, file: long });
  await shown.result();
  const [attributes] = await listed(system, 'LonghaulState = "completed"', [shown.workflowId]);
  expect(attributes).toMatchObject({ LonghaulBytesDone: 20 * MiB, LonghaulFilename: 'long.bin' });
  expect(await list(system, `WorkflowId = "${shown.workflowId}" AND LonghaulState = "uploading"`)).toEqual(new Map());
  const count = await upserts(system, shown.workflowId);
  expect(count).toBeGreaterThan(15);
  expect(count).toBeLessThanOrEqual(25);
}

/** A worker warns, and setup prints what to do. */
async function expectAdvice({ temporal }: LonghaulClient, environment: System['environment']): Promise<void> {
  const { operatorService } = temporal.connection;
  const add = (...names: readonly string[]) => {
    const searchAttributes = Object.fromEntries(names.map((name) => [name, KEYWORD]));
    return operatorService.addSearchAttributes({ namespace: FULL, searchAttributes });
  };
  await add('One', 'Two', 'Three', 'Four', 'Five');
  const worker = await startWorkerProcess(environment);
  const warnings = () =>
    worker.said().match(/does not have the search attributes LonghaulState.*Run \\?"longhaul setup/g) ?? [];
  // With TEMPORAL_DEBUG, the SDK collects log lines before it writes them.
  await until(() => warnings().length > 0, 'the warning');
  expect(warnings()).toHaveLength(1);
  await expect(setupSearchAttributes(temporal)).rejects.toThrow(SetupRefusedError);
  const refused = await runCli(['setup'], environment);
  expect(refused).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(
      /^temporal operator search-attribute create --namespace full --name LonghaulState --type Keyword .*\ntcld /,
    ),
  });
  expect(refused.stderr).toMatch(/cannot register search attributes in namespace "full"/);

  await add('LonghaulBytes');
  await expect(setupSearchAttributes(temporal)).rejects.toThrow(AttributeConflictError);
  await expect(setupSearchAttributes(temporal)).rejects.toThrow('LonghaulBytes is Keyword and must be Int');
}

describe('a namespace without the search attributes', () => {
  it('gets them from a worker, and if no attribute is free, setup prints the fix', () =>
    withTemporalServer(
      { 'limit.historyCount.suggestContinueAsNew': 40 },
      (temporalAddress) =>
        withSystem(
          async (system) => {
            await expectRegistration(system);
            const connection = { address: temporalAddress };
            const client = await LonghaulClient.connect({ connection, namespace: FULL, taskQueue: system.taskQueue });
            try {
              await expectAdvice(client, { ...system.environment, TEMPORAL_NAMESPACE: FULL });
            } finally {
              await client.close();
            }
          },
          { temporalAddress },
        ),
      [FULL],
    ));
});
