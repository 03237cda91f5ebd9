import { randomUUID } from 'node:crypto';
import { CompleteAsyncError, Context } from '@temporalio/activity';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time.js';
import { NativeConnection, Worker } from '@temporalio/worker';
import fc from 'fast-check';
import { LonghaulClient } from 'longhaul';
import { workflowBundlePath } from 'longhaul/worker';
import pMap from 'p-map';
import { expect, inject, it } from 'vitest';
import { FailureType } from '../../src/contracts/failures.ts';
import { correct, requests, session, type Input, type WorkflowType } from '../support/correct-results.ts';
import { failureDetails, leftFile } from '../support/failure-details.ts';
import { generatedRuns, jsonText, mutated, strangeValues } from '../support/mutated.ts';
import { installQuietRuntime } from '../support/quiet-runtime.ts';
import { until } from '../support/until.ts';

installQuietRuntime();

/*
 * Any client of Temporal can complete or fail an activity of a running workflow (`temporal activity complete`), and send
 * its heartbeats. These workers run Longhaul's workflows with activities that do it once in each workflow.
 */

/** The activities of a workflow, or of its children, that another client completes or fails. */
const targets: Readonly<Record<WorkflowType, readonly string[]>> = {
  uploadFile: ['inspectSource', 'createUpload', 'uploadPart', 'hashSource', 'completeUpload'],
  uploadSplitFile: ['planSplit', 'completeUpload'],
  syncSource: ['recallSync', 'planSync', 'openBatch', 'sendBatch', 'packSyncMemory', 'deleteFile', 'completeUpload'],
};
/** Activities whose result has no content that a workflow uses. */
const anyResult = ['deleteFile'];

interface Act {
  readonly type: WorkflowType;
  readonly target: string;
  /** How the other client ends the activity. */
  readonly end: (client: Client) => Promise<unknown>;
}

const details = failureDetails(Date.now());
const beat = {
  attempt: 1,
  refused: 1,
  sessions: { 0: session() },
  outcomes: { 0: { sent: { fileId: 'file-4', createdAt: 1, md5: null } } },
  left: { 1: leftFile },
};
const failureTypes = ['ApiRejected', 'ApiUnavailable', 'SourceMissing', 'WorkerStopping', 'SessionLost', 'Other', ''];

const completes = (value: unknown) => async () => JSON.parse(jsonText(value)) as unknown;
const failsWith =
  (type: string, value: readonly unknown[], message = 'by hand') =>
  () =>
    Promise.reject(ApplicationFailure.create({ message, type, nonRetryable: true, details: [...value] }));

/** Makes the attempt the last one, with a short heartbeat timeout. */
async function isLastAttempt(client: Client): Promise<void> {
  const { activityId: id, workflowExecution } = Context.current().info;
  await client.workflowService.updateActivityOptions({
    namespace: 'default',
    execution: workflowExecution,
    id,
    activityOptions: { retryPolicy: { maximumAttempts: 1 }, heartbeatTimeout: msToTs(1000) },
    updateMask: { paths: ['retry_policy.maximum_attempts', 'heartbeat_timeout'] },
  });
}

/** The last of its attempts times out after this heartbeat. */
const timesOut = (heartbeat: unknown) => async (client: Client) => {
  await isLastAttempt(client);
  Context.current().heartbeat(JSON.parse(jsonText(heartbeat)));
  await Context.current().cancelled;
};

/** A cancellation that the workflow did not request. */
const isCancelled = async (client: Client) => {
  await isLastAttempt(client);
  const { activityId, workflowExecution } = Context.current().info;
  await client.workflowService.respondActivityTaskFailedById({
    namespace: 'default',
    ...workflowExecution,
    activityId,
    failure: { message: 'by hand', canceledFailureInfo: {} },
  });
  throw new CompleteAsyncError();
};

/** Completes the activity by its ID, with a payload that no SDK writes, or without one. */
const completesWith = (data?: string) => async (client: Client) => {
  const { activityId, workflowExecution } = Context.current().info;
  const metadata = { encoding: Buffer.from('json/plain') };
  await client.workflowService.respondActivityTaskCompletedById({
    namespace: 'default',
    ...workflowExecution,
    activityId,
    ...(data === undefined ? {} : { result: { payloads: [{ metadata, data: Buffer.from(data) }] } }),
  });
  throw new CompleteAsyncError();
};

/** Few by default, because each takes a workflow on a real server. The simulation runs many. */
const ACTS = generatedRuns(1);

const notJson = [completesWith(), completesWith('{"partId":')];

function draw(generator: fc.Arbitrary<unknown>): unknown[] {
  return fc.sample(generator, ACTS);
}

function some<T>(values: readonly T[]): T[] {
  const length = Math.min(ACTS, values.length);
  return fc.sample(fc.shuffledSubarray([...values], { minLength: length, maxLength: length }), 1).flat();
}

const pairs = Object.entries(targets).flatMap(([type, names]) =>
  names.map((target) => ({ type: type as WorkflowType, target })),
);

/** Half of the activities return strange results, and the others end in other ways. On demand, each one does both. */
const [withResults, withEnds] = halvesOf(fc.sample(fc.shuffledSubarray(pairs, { minLength: pairs.length }), 1).flat());

function halvesOf<T>(all: readonly T[]): readonly [readonly T[], readonly T[]] {
  if (ACTS > 1) return [all, all];
  const half = Math.ceil(all.length / 2);
  return [all.slice(0, half), all.slice(half)];
}

function resultOf({ type, target }: Pick<Act, 'type' | 'target'>): unknown {
  return correct[target]?.({ request: requests[type] as (typeof requests)['uploadFile'] });
}

/** Runs one workflow for each act, with activities that end by the act the first time. @returns the workflows */
async function withActs(
  acts: readonly Act[],
  check: (act: Act, handle: WorkflowHandle, ended: () => boolean) => Promise<void>,
): Promise<void> {
  const taskQueue = `test-${randomUUID()}`;
  const address = inject('temporalAddress');
  const client = await LonghaulClient.connect({ connection: { address }, taskQueue });
  const connection = await NativeConnection.connect({ address });
  const pending = new Map(acts.map((act, index) => [`${taskQueue}-${index}-`, act]));
  const activities = Object.fromEntries(
    Object.entries(correct).map(([name, result]) => [
      name,
      async (input: Input) => {
        const id = Context.current().info.workflowExecution?.workflowId ?? '';
        const [key, act] = [...pending].find(([start]) => id.startsWith(start)) ?? [];
        if (key === undefined || act?.target !== name) return result(input);
        pending.delete(key);
        return act.end(client.temporal);
      },
    ]),
  );
  const bundle = { workflowBundle: { codePath: workflowBundlePath } };
  const workers = [
    await Worker.create({ connection, taskQueue, ...bundle, activities }),
    await Worker.create({ connection, taskQueue: `${taskQueue}-transfer`, activities }),
  ];
  const runs = workers.map((worker) => worker.run());
  try {
    await pMap(
      acts.entries(),
      async ([index, act]) => {
        const start = { workflowId: `${taskQueue}-${index}-`, taskQueue, args: [requests[act.type]] };
        const handle = await client.temporal.workflow.start(act.type, start);
        await check(act, handle, () => !pending.has(start.workflowId));
        await handle.terminate().catch(() => {});
      },
      { concurrency: 12 },
    );
  } finally {
    for (const worker of workers) worker.shutdown();
    await Promise.all(runs);
    await connection.close();
    await client.close();
  }
}

interface Fate {
  readonly failedTasks: readonly string[];
  /** Type of the failure for which it waits; `completed` or the type of its failure after its end. */
  readonly state: string | undefined;
}

/** How a workflow fares with its children; without a state while it runs on. */
async function fateOf(handle: WorkflowHandle): Promise<Fate> {
  const { events } = await handle.fetchHistory();
  const failedTasks = (events ?? []).flatMap(({ workflowTaskFailedEventAttributes: task }) =>
    !task || task.failure?.message === 'UnhandledCommand' ? [] : [`${task.cause}: ${task.failure?.message}`],
  );
  const last = events?.at(-1);
  const failure = last?.workflowExecutionFailedEventAttributes?.failure;
  if (failure) return { failedTasks, state: failure.applicationFailureInfo?.type ?? 'none' };
  if (last?.workflowExecutionCompletedEventAttributes) return { failedTasks, state: 'completed' };
  if (failedTasks.length > 0) return { failedTasks, state: 'failed tasks' };
  const progress = await handle
    .query<{ waiting: { failureType: string } | null }>('progress')
    .catch(() => ({ waiting: null }));
  return { failedTasks, state: progress.waiting?.failureType };
}

/** @returns the state of each workflow after its act, none of which failed a workflow task */
async function statesAfter(acts: readonly Act[]): Promise<{ readonly act: Act; readonly state: string }[]> {
  const states: { act: Act; state: string }[] = [];
  const failed: string[] = [];
  await withActs(acts, async (act, handle, ended) => {
    let fate: Fate | undefined;
    await until(
      async () => ended() && (fate = await fateOf(handle)).state !== undefined,
      `the end or a wait of ${act.type} after ${act.target}`,
    );
    const { failedTasks = [], state = '' } = fate ?? {};
    failed.push(...failedTasks.map((message) => `${act.type} ${act.target}: ${message}`));
    states.push({ act, state });
  });
  expect(failed).toEqual([]);
  return states;
}

it('a workflow waits for an operator after results that no worker of Longhaul returns', async () => {
  const acts = withResults.flatMap((pair) => {
    // A plan of a split upload has all properties of an inspected source.
    const others = Object.keys(correct).filter((name) => ![pair.target, 'planSplit', ...anyResult].includes(name));
    const strange = [{}, 'done', 7, ...fc.sample(fc.constantFrom(...others), 2).map((name) => correct[name]?.({}))];
    return some(strange).map((value): Act => ({ ...pair, end: completes(value) }));
  });
  for (const { act, state } of await statesAfter(acts)) {
    const isUsed = !anyResult.includes(act.target);
    // Parts that succeed after it end the wait of an upload.
    const waits =
      isUsed && act.target !== 'uploadPart' ? [FailureType.ResultInvalid] : [FailureType.ResultInvalid, 'completed'];
    expect(waits, `${act.type} after ${act.target}`).toContain(state);
  }
});

it('no workflow task fails for any result or failure that a client sends for an activity', async () => {
  const acts = withEnds.flatMap((pair): Act[] => {
    let count = 0;
    const type = () => failureTypes[count++ % failureTypes.length] ?? '';
    const ends = [
      ...draw(mutated(resultOf(pair))).map(completes),
      ...draw(mutated([details, [leftFile, leftFile]])).map((value) =>
        failsWith(type(), Array.isArray(value) ? value : [value]),
      ),
      ...draw(fc.oneof(strangeValues, mutated(beat))).map(timesOut),
      isCancelled,
      failsWith('Large', ['x'.repeat(150_000)], 'x'.repeat(150_000)),
    ];
    return [...some(ends), ...(ACTS > 1 ? notJson : [])].map((end) => ({ ...pair, end }));
  });
  acts.push(...notJson.map((end): Act => ({ type: 'uploadFile', target: 'uploadPart', end })));
  const states = await statesAfter(acts);
  const known = ['completed', 'Unknown', 'Large', 'ServerFailure', ...failureTypes, ...Object.keys(FailureType)];
  expect(states.filter(({ state }) => !known.includes(state))).toEqual([]);
  console.log(`${states.length} activities were completed or failed by another client`);
});
