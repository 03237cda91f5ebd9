import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import fc from 'fast-check';
import pMap from 'p-map';
import { expect, it } from 'vitest';
import { FailureType } from '../../src/contracts/failures.ts';
import { MAX_MESSAGE_LENGTH } from '../../src/core/text/clip.ts';
import { generatedRuns, jsonText, mutated, strangeValues } from '../support/mutated.ts';
import { withSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

interface Payload {
  readonly metadata: Readonly<Record<string, Uint8Array>>;
  readonly data: Uint8Array;
}

interface Start {
  readonly type: string;
  readonly payloads: readonly Payload[];
  readonly memo?: Readonly<Record<string, Payload>>;
  readonly workflowId?: string;
  /** Sent with the start, so that it arrives before the first task. */
  readonly signal?: { readonly name: string; readonly payloads: readonly Payload[] };
}

const payload = (encoding: string, data: string): Payload => ({
  metadata: { encoding: Buffer.from(encoding) },
  data: Buffer.from(data),
});
const json = (value: unknown) => payload('json/plain', jsonText(value));

/** Nothing that a generated request names can lead away from this machine. */
const sources = {
  s3: {
    default: { endpoint: 'http://127.0.0.1:9', region: 'x', credentials: { accessKeyId: 'x', secretAccessKey: 'x' } },
  },
  http: { hosts: ['127.0.0.1'] },
};

const encodings = [
  payload('binary/encrypted', 'sealed'),
  payload('json/protobuf', '{}'),
  payload('json/plain', '{"source":'),
  payload('json/plain', '"\\ud800'),
  payload('binary/plain', 'abc'),
  payload('', '{}'),
];

function startsOf(file: string, folder: string, taskQueue: string, runs: number): Start[] {
  const upload = { source: { type: 'file', path: file }, purpose: 'assistants', filename: 'a.jsonl', fairnessKey: 'k' };
  const others = {
    transferTaskQueue: `${taskQueue}-transfer`,
    destination: 'default',
    expectedFingerprint: 'x',
    md5: true,
  };
  const sync = {
    source: { type: 'folder', path: folder },
    purpose: 'assistants',
    prefix: 'p-',
    include: ['*'],
    dryRun: true,
  };
  const session = { info: { uploadId: 'u', createdAt: 1, expiresAt: 2 }, openedAtMs: 1, resent: false, sizeBytes: 1 };
  const carried = {
    source: { sizeBytes: 1, fingerprint: 'x' },
    session: { ...session, partSizeBytes: 1, partIds: [null] },
  };
  const draw = (type: string, correct: unknown, count: number, more: readonly unknown[] = []): Start[] =>
    fc
      .sample(mutated(correct), Math.max(Math.round(count * runs), 1))
      .map((request) => ({ type, payloads: [request, ...more].map(json) }));
  const handed = (type: string, request: unknown, second: unknown, count: number): Start[] =>
    fc
      .sample(fc.oneof(mutated(second), strangeValues), Math.max(Math.round(count * runs), 1))
      .map((argument) => ({ type, payloads: [json(request), json(argument)] }));
  const withSignal = (type: string, request: unknown): Start[] =>
    Object.entries({ report: ['x', { waiting: null }], control: [{ type: 'pause' }, 1], reserve: [1] }).map(
      ([name, inputs]) => ({ type, payloads: [json(request)], signal: { name, payloads: inputs.map(json) } }),
    );
  return [
    ...withSignal('uploadFile', upload),
    ...withSignal('uploadSplitFile', { ...upload, pieceSizeBytes: 60 }),
    ...withSignal('syncSource', sync),
    ...withSignal('requestRate', { nextMs: 1 }),
    ...draw('uploadFile', upload, 0.2),
    ...draw('uploadFile', { ...upload, ...others }, 0.2),
    ...draw('uploadFile', { ...upload, source: { type: 's3', bucket: 'bucket', key: 'k' } }, 0.05),
    ...draw('uploadFile', { ...upload, source: { type: 'http', url: 'http://127.0.0.1:9/x' } }, 0.05),
    ...draw('uploadSplitFile', { ...upload, pieceSizeBytes: 1000, again: false }, 0.1),
    ...draw('syncSource', sync, 0.15),
    ...handed('uploadFile', upload, carried, 0.1),
    ...handed('syncSource', sync, { memory: null, run: { planId: 'p', counts: {} } }, 0.1),
    ...draw('requestRate', { nextMs: 1 }, 0.05),
    ...encodings.flatMap((strange): Start[] => [
      { type: 'uploadFile', payloads: [strange] },
      { type: 'syncSource', payloads: [strange] },
      { type: 'uploadFile', payloads: [json(upload)], memo: { longhaulIdentity: strange, other: strange } },
      { type: 'uploadSplitFile', payloads: [json(upload)], memo: { longhaulIdentity: strange } },
    ]),
    { type: 'uploadFile', payloads: [json({ ...upload, fairnessKey: '\ud800' })] },
    { type: 'uploadFile', payloads: [json({ ...upload, '\ud800': 1 })] },
    { type: 'uploadFile', payloads: [json({ ...upload, ['x'.repeat(1_000_000)]: 1 })] },
    { type: 'uploadFile', payloads: [json({ ...upload, transferTaskQueue: '/_sys/a/3' })] },
    { type: 'uploadFile', payloads: [json({ ...upload, source: { ...upload.source, host: 'h'.repeat(1000) } })] },
    { type: 'uploadSplitFile', payloads: [json(upload)], workflowId: `${taskQueue}-`.padEnd(995, 'i') },
    { type: 'syncSource', payloads: [json({ ...sync, dryRun: false })], workflowId: `${taskQueue}-`.padEnd(996, 'i') },
  ];
}

/** What a caller's program sends, without any SDK between. */
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

/** Workers whose key the service rejects: uploads that begin wait, and nothing is sent. */
const waiting = (system: System) => ({
  sources,
  destinations: [{ name: 'default', baseUrl: system.api.url, apiKey: 'sk-wrong' }],
});

it('rejects whatever else a caller sends than a request, and fails no workflow task', () =>
  withSystem(async (system) => {
    const { directory, taskQueue, startWorker } = system;
    const worker = await startWorker(waiting(system));
    const file = join(directory, 'a.jsonl');
    await writeFile(file, 'x'.repeat(100));
    const caller = new Caller(system);
    const workflowIds: string[] = [];
    let rejectedByServer = 0;
    await pMap(
      startsOf(file, directory, taskQueue, generatedRuns(80)),
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

it('answers after whatever a caller sends to a running workflow', () =>
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
    const inputs: Readonly<Record<string, unknown>> = {
      pause: { parts: 'finish' },
      resume: {},
      retry: {},
      retune: { concurrency: 2, partSizeBytes: 1_048_576 },
      reserve: { count: 1, perMinute: 1000 },
      nothing: {},
    };
    const sent = [
      ...Object.entries(inputs).flatMap(([name, correct]) =>
        fc.sample(mutated(correct), Math.max(generatedRuns(80) / 40, 5)).map((input) => ({ name, input: json(input) })),
      ),
      ...encodings.map((input) => ({ name: 'pause', input })),
      { name: 'pause', input: json({ parts: 'finish', more: 'x'.repeat(1_900_000) }) },
    ];
    for (const { name, input } of sent) {
      await Promise.all(
        ids.flatMap((workflowId) => [
          caller.signal(workflowId, name, [input]).catch(() => {}),
          caller.query(workflowId, 'progress', [input]).catch(() => {}),
          // `nothing` has no handler: it is rejected, as are inputs that the validators reject.
          caller.update(workflowId, name, [input]).catch(() => {}),
        ]),
      );
    }
    // The signals between a workflow and its uploads.
    const wait = { reason: 'r', failureType: 'ApiRejected', status: 401, sinceMs: 1, retryAtMs: 2, nextProbeAtMs: 3 };
    const report = { control: 1, waiting: wait, progress: { state: 'waiting' } };
    const values = (correct: unknown) =>
      [...fc.sample(mutated(correct), generatedRuns(80) / 4), null, 'pause', [], {}].filter(
        // The history is read as one message below.
        (value) => jsonText(value).length < 10_000,
      );
    for (const control of values({ type: 'pause', parts: 'stop', whileCompleting: true }))
      await Promise.all(ids.map((id) => caller.signal(id, 'control', [control, 1].map(json)).catch(() => {})));
    for (const one of [...values(report), ...values(wait).map((value) => ({ ...report, waiting: value }))])
      await caller.signal(split.workflowId, 'report', [piece, one].map(json)).catch(() => {});
    await caller.signal(split.workflowId, 'control', []);
    await caller.signal(split.workflowId, 'report', []);
    console.log(`${sent.length} generated inputs, each as an update, a query and a signal of ${ids.length} workflows`);
    const fates = await fatesOf(caller, ids);
    expect([...fates.values()].flatMap(({ failedTasks }) => failedTasks)).toEqual([]);
    expect(await worker.isReady()).toBe(true);
    expect(await split.status()).toMatchObject({ filename: 'a.jsonl' });
    expect(await client.getHandle(`${taskQueue}-uploadFile`).status()).toMatchObject({ filename: 'a.jsonl' });
    expect(await client.getHandle<'sync'>(`${taskQueue}-syncSource`).status()).toHaveProperty('counts');
  }));
