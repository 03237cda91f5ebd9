import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import pMap from 'p-map';
import { expect, it } from 'vitest';
import { FailureType } from '../../src/contracts/failures.ts';
import { MAX_MESSAGE_LENGTH } from '../../src/core/text/clip.ts';
import { generatedRuns } from '../support/mutated.ts';
import {
  json,
  strangeInputs,
  strangeSignals,
  strangeStarts,
  type Payload,
  type Start,
} from '../support/generated-inputs.ts';
import { withSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

/** All sources that a generated request can name are on this machine. */
const sources = {
  s3: {
    default: { endpoint: 'http://127.0.0.1:9', region: 'x', credentials: { accessKeyId: 'x', secretAccessKey: 'x' } },
  },
  http: { hosts: ['127.0.0.1'] },
};

/** Few by default, because each requires a workflow on a real server. The simulation runs many. */
const RUNS = generatedRuns(1);

/** A program that calls Temporal without an SDK. */
class Caller {
  readonly #service: Client['workflowService'];
  readonly #taskQueue: string;

  constructor({ client, taskQueue }: System) {
    this.#service = client.temporal.workflowService;
    this.#taskQueue = taskQueue;
  }

  async start(workflowId: string, { type, payloads, memo, signal }: Start): Promise<void> {
    const start = {
      namespace: 'default',
      workflowId,
      requestId: workflowId,
      workflowType: { name: type },
      taskQueue: { name: this.#taskQueue },
      input: { payloads: [...payloads] },
      ...(memo ? { memo: { fields: memo } } : {}),
    };
    if (!signal) await this.#service.startWorkflowExecution(start);
    else {
      const signalInput = { payloads: [...signal.payloads] };
      await this.#service.signalWithStartWorkflowExecution({ ...start, signalName: signal.name, signalInput });
    }
  }

  async update(workflowId: string, name: string, payloads: readonly Payload[]): Promise<void> {
    await this.#service.updateWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId },
      waitPolicy: { lifecycleStage: 3 },
      request: { meta: { updateId: randomUUID() }, input: { name, args: { payloads: [...payloads] } } },
    });
  }

  async query(workflowId: string, queryType: string, payloads: readonly Payload[]): Promise<void> {
    const query = { queryType, queryArgs: { payloads: [...payloads] } };
    await this.#service.queryWorkflow({ namespace: 'default', execution: { workflowId }, query });
  }

  async signal(workflowId: string, signalName: string, payloads: readonly Payload[]): Promise<void> {
    const input = { payloads: [...payloads] };
    const workflowExecution = { workflowId };
    await this.#service.signalWorkflowExecution({ namespace: 'default', workflowExecution, signalName, input });
  }

  /** How a workflow fared; undefined until its first task is over. */
  async fate(workflowId: string): Promise<Fate | undefined> {
    const { history } = await this.#service.getWorkflowExecutionHistory({
      namespace: 'default',
      execution: { workflowId },
    });
    const events = history?.events ?? [];
    // Temporal repeats a task during which a signal came in. That is not a fault of the workflow.
    const failedTasks = events.flatMap(({ workflowTaskFailedEventAttributes: task }) =>
      task?.failure?.message === 'UnhandledCommand' ? [] : (task?.failure?.message ?? []),
    );
    const failure = events.at(-1)?.workflowExecutionFailedEventAttributes?.failure;
    const isSettled = failedTasks.length > 0 || events.some((event) => event.workflowTaskCompletedEventAttributes);
    if (!isSettled) return undefined;
    return { failedTasks, type: failure?.applicationFailureInfo?.type, message: failure?.message ?? '' };
  }
}

interface Fate {
  readonly failedTasks: readonly string[];
  readonly type: string | null | undefined;
  readonly message: string;
}

async function fatesOf(caller: Caller, workflowIds: readonly string[]): Promise<Map<string, Fate>> {
  const fates = new Map<string, Fate>();
  await until(async () => {
    const open = workflowIds.filter((workflowId) => !fates.has(workflowId));
    await pMap(
      open,
      async (workflowId) => {
        const fate = await caller.fate(workflowId);
        if (fate) fates.set(workflowId, fate);
      },
      { concurrency: 8 },
    );
    return fates.size === workflowIds.length;
  }, 'every workflow to have its first task behind it');
  return fates;
}

/** Workers whose key the service rejects: uploads that start wait, and nothing is sent. */
const waiting = (system: System) => ({
  sources,
  destinations: [{ name: 'default', baseUrl: system.api.url, apiKey: 'sk-wrong' }],
});

it('a worker rejects any input that is not a request, and does not fail a workflow task', () =>
  withSystem(async (system) => {
    const { directory, taskQueue, startWorker } = system;
    const worker = await startWorker(waiting(system));
    const file = join(directory, 'a.jsonl');
    await writeFile(file, 'x'.repeat(100));
    const caller = new Caller(system);
    const workflowIds: string[] = [];
    let rejectedByServer = 0;
    await pMap(
      strangeStarts({ file, folder: directory, taskQueue }, RUNS, { isEach: RUNS > 1 }),
      async (one, index) => {
        const workflowId = one.workflowId ?? `${taskQueue}-${index}`;
        await caller.start(workflowId, one).then(
          () => workflowIds.push(workflowId),
          () => rejectedByServer++,
        );
      },
      { concurrency: 8 },
    );
    const fates = await fatesOf(caller, workflowIds);
    const all = [...fates.values()];
    expect(all.flatMap(({ failedTasks }) => failedTasks)).toEqual([]);
    const failures = all.filter(({ type }) => type !== undefined);
    for (const { type, message } of failures) {
      expect(Object.keys(FailureType)).toContain(type);
      expect(message.length).toBeLessThanOrEqual(MAX_MESSAGE_LENGTH);
      expect(message).not.toMatch(/[\p{Cc}\p{Surrogate}]/u);
    }
    const invalid = failures.filter(({ type }) => type === FailureType.InvalidRequest).length;
    console.log(
      `${all.length} generated requests: ${invalid} were invalid, the server rejected ${rejectedByServer} more`,
    );
    expect(invalid).toBeGreaterThan(all.length / 4);
    expect(await worker.isReady()).toBe(true);
    // One foreign workflow must not take the others out of a list.
    let listed = 0;
    for await (const _ of system.client.list({ taskQueue, syncs: true })) listed++;
    expect(listed).toBeGreaterThan(all.length / 2);
  }));

it('a worker responds after any input that a caller sends to a running workflow', () =>
  withSystem(async (system) => {
    const { client, directory, taskQueue, startWorker } = system;
    const worker = await startWorker({ ...waiting(system), sources: { any: true } });
    const file = join(directory, 'a.jsonl');
    await writeFile(file, 'x\n'.repeat(50));
    const caller = new Caller(system);
    const source = { type: 'file', path: file };
    const types = {
      uploadFile: { source, purpose: 'assistants' },
      uploadSplitFile: { source, purpose: 'assistants', pieceSizeBytes: 60 },
      syncSource: { source: { type: 'folder', path: directory }, purpose: 'assistants', exclude: ['api/'] },
      requestRate: null,
    };
    const ids = Object.keys(types).map((type) => `${taskQueue}-${type}`);
    for (const [type, request] of Object.entries(types))
      await caller.start(`${taskQueue}-${type}`, { type, payloads: request === null ? [] : [json(request)] });
    const split = client.getHandle<'split'>(`${taskQueue}-uploadSplitFile`);
    const piece = `${split.workflowId}-00001-of-00002`;
    await until(async () => (await split.status()).pieces[0]?.state === 'uploading', 'the first piece');
    const sent = strangeInputs(RUNS);
    for (const { name, payload } of sent) {
      await Promise.all(
        ids.flatMap((workflowId) => [
          caller.signal(workflowId, name, [payload]).catch(() => {}),
          caller.query(workflowId, 'progress', [payload]).catch(() => {}),
          // `nothing` has no handler: it is rejected, as are inputs that the validators reject.
          caller.update(workflowId, name, [payload]).catch(() => {}),
        ]),
      );
    }
    // The signals between a workflow and its uploads.
    for (const { name, payloads } of strangeSignals(piece, RUNS))
      await caller.signal(split.workflowId, name, payloads).catch(() => {});
    console.log(`${sent.length} generated inputs, each as an update, a query and a signal of ${ids.length} workflows`);
    const fates = await fatesOf(caller, ids);
    expect([...fates.values()].flatMap(({ failedTasks }) => failedTasks)).toEqual([]);
    expect(await worker.isReady()).toBe(true);
    expect(await split.status()).toMatchObject({ filename: 'a.jsonl' });
    expect(await client.getHandle(`${taskQueue}-uploadFile`).status()).toMatchObject({ filename: 'a.jsonl' });
    expect(await client.getHandle<'sync'>(`${taskQueue}-syncSource`).status()).toHaveProperty('counts');
  }));
