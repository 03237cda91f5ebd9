import { Context } from '@temporalio/activity';
import { ActivityCancellationDetails, CancelledFailure, noopMetricMeter, type Logger } from '@temporalio/common';
import { defaultActivityInfo } from '@temporalio/testing';
import { createCancelUpload } from '../../activities/cancel-upload.ts';
import { createCompleteUpload } from '../../activities/complete-upload.ts';
import { createCreateUpload } from '../../activities/create-upload.ts';
import type { ActivityDependencies } from '../../activities/dependencies.ts';
import { createDeleteFile } from '../../activities/delete-file.ts';
import { createInspectSource } from '../../activities/inspect-source.ts';
import { runAttempt } from '../../activities/attempt.ts';
import { createOpenBatch } from '../../activities/open-batch.ts';
import { packSyncMemory } from '../../activities/pack-sync-memory.ts';
import { createPlanSync } from '../../activities/plan-sync.ts';
import { createRecordSync } from '../../activities/record-sync.ts';
import { createSendBatch } from '../../activities/send-batch.ts';
import { scopedSourceError } from '../../activities/source-scope.ts';
import { createUploadPart } from '../../activities/upload-part.ts';
import type {
  HashSourceInput,
  HashSourceResult,
  TransferActivities,
  UploadPartInput,
} from '../../src/contracts/activities.ts';
import type { HashCheckpoint } from '../../src/contracts/content.ts';
import type { PlanSyncInput } from '../../src/contracts/plan-sync.ts';
import { AbortedError, ContentInvalidError, SourceChangedError } from '../../src/errors.ts';
import type { Source } from '../../src/contracts/sources.ts';
import { memoryOfResult } from '../../src/core/sync/memory-shape.ts';
import type { SourceReader } from '../../src/sources/source-reader.ts';
import type { Sources } from '../../src/sources/sources.ts';
import type { AttemptInfo, RunningAttempt } from './activity-task.ts';
import { modelClient, type ClientWorld, type Process } from './client.ts';
import { planSplit } from './pieces.ts';
import { digestOfSource } from './service.ts';
import { contentOfSource, type ModelFile, type ModelSources } from './source.ts';

type Activity = (input: never) => Promise<unknown>;

const silent = Object.fromEntries(
  ['log', 'trace', 'debug', 'info', 'warn', 'error'].map((level) => [level, () => {}]),
) as unknown as Logger;

/** Starts an attempt of a real activity, whose destination and source are models. */
export function startAttempt(
  world: ClientWorld,
  info: AttemptInfo,
  input: readonly unknown[],
  beat: (details: unknown) => void,
): RunningAttempt {
  const process: Process = { info, isDead: false, doubts: new Set() };
  const { attempt, activityType, heartbeatTimeoutMs, heartbeatDetails, startToCloseTimeoutMs, workflowId, runId } =
    info;
  const controller = new AbortController();
  const cancellation: { details?: ActivityCancellationDetails } = {};
  let abort: (error: Error) => void = () => {};
  const cancelled = new Promise<never>((_, reject) => {
    abort = reject;
  });
  cancelled.catch(() => {});
  const activityInfo = {
    ...defaultActivityInfo,
    attempt,
    activityType,
    heartbeatTimeoutMs,
    // As JSON: details are recorded by the server.
    heartbeatDetails: heartbeatDetails === undefined ? undefined : JSON.parse(JSON.stringify(heartbeatDetails)),
    startToCloseTimeoutMs,
    workflowExecution: { workflowId, runId },
  };
  const onBeat = (details: unknown) => {
    if (!process.isDead) beat(details);
  };
  // As a worker creates it.
  const context = new Context(
    activityInfo,
    cancelled,
    controller.signal,
    onBeat,
    undefined,
    silent,
    noopMetricMeter,
    cancellation,
  );
  const activity = activitiesOf(world, process)[activityType]?.();
  if (!activity) throw new Error(`the simulation has no activity ${activityType}`);
  const running = world.clock.as(process, context, async () => activity(input[0] as never));
  return {
    outcome: new Promise((resolve, reject) => {
      running.then(
        (value) => !process.isDead && resolve(value),
        (error: unknown) => !process.isDead && reject(error as Error),
      );
    }),
    cancel: (reason) => {
      if (process.isDead) return;
      const isShutdown = reason === 'WORKER_SHUTDOWN';
      const details = {
        cancelRequested: reason === 'CANCELLED',
        workerShutdown: isShutdown,
        notFound: reason === 'TIMED_OUT',
      };
      cancellation.details = new ActivityCancellationDetails(details);
      const error = new CancelledFailure(reason);
      controller.abort(error);
      abort(error);
    },
    kill: () => {
      process.isDead = true;
      for (const doubt of process.doubts) doubt();
    },
  };
}

function activitiesOf(world: ClientWorld, process: Process): Readonly<Record<string, () => Activity>> {
  const { info } = process;
  const dependencies = dependenciesOf(world, () => process);
  return {
    inspectSource: () => {
      const inspect = createInspectSource(dependencies);
      return async (input: Parameters<typeof inspect>[0]) => {
        await spend(world, process, 'inspectSource');
        return inspect(input);
      };
    },
    createUpload: () => createCreateUpload(dependencies),
    uploadPart: () => uploadPart(world, dependencies),
    completeUpload: () => createCompleteUpload(dependencies),
    cancelUpload: () => createCancelUpload(dependencies),
    hashSource: () => (input: HashSourceInput) => hashSource(world, process, input),
    planSplit: () => (input: Parameters<typeof planSplit>[2]) => planSplit(world, process, input),
    openBatch: () => createOpenBatch(dependencies),
    sendBatch: () => createSendBatch(dependencies),
    deleteFile: () => createDeleteFile(dependencies),
    packSyncMemory: () => packSyncMemory,
    recordSync: () => createRecordSync(dependencies),
    recallSync: () => () =>
      runAttempt(() => Promise.resolve(memoryOfResult(world.namespace.lastResult(info.workflowId)))),
    planSync: () => (input: PlanSyncInput) => {
      const limit = Math.min(input.limit, world.batchFiles);
      return world.workers.planSync(world, info.worker)({ ...input, limit });
    },
  };
}

/** What workers have in memory. */
export class Workers {
  readonly #planSync = new Map<number, TransferActivities['planSync']>();

  planSync(world: ClientWorld, worker: number): TransferActivities['planSync'] {
    const known = this.#planSync.get(worker);
    if (known) return known;
    const plan = createPlanSync(dependenciesOf(world, () => world.clock.owner as Process));
    this.#planSync.set(worker, plan);
    return plan;
  }

  /** A new process continues in its place. */
  restart(worker: number): void {
    this.#planSync.delete(worker);
  }
}

/** @param process the one whose code runs */
function dependenciesOf(world: ClientWorld, process: () => Process): ActivityDependencies {
  const sources = {
    open: (source: Source) => world.sources.open(source),
    read: async (source: Source, _options: unknown, use: (reader: SourceReader) => Promise<unknown>) => {
      const reader = await world.sources.open(source);
      return use(reader).finally(() => reader.close());
    },
    check: async () => world.sources.assertReadable(),
    manifest: async () => world.manifest.client(world, process()),
    list: async (...args: Parameters<ModelSources['list']>) => {
      await spend(world, process(), 'listSource');
      return world.sources.list(...args);
    },
  } as unknown as Sources;
  return { destination: () => modelClient(world, process()), sources, hasAttributes: async () => world.hasAttributes };
}

async function spend(world: ClientWorld, process: Process, call: 'inspectSource' | 'listSource'): Promise<void> {
  world.onCall(call, process.info);
  world.trace(call);
  await world.clock.sleep(world.durationMs(call, process.info.key));
  if (process.isDead) await new Promise<never>(() => {});
}

/** The digest and the check of a part need bytes, and a model has none. */
function uploadPart(world: ClientWorld, dependencies: ActivityDependencies): Activity {
  const send = createUploadPart(dependencies);
  return async ({ withMd5, withSha256, check, ...input }: UploadPartInput) => {
    const sent = await send(input);
    const content = contentOfSource(input.fingerprint, input.source);
    if (check) await runAttempt(async () => checkContent(world, content, input.sizeBytes));
    const digest = (algorithm?: 'sha256') => digestOfSource(content, input.sizeBytes, algorithm);
    return { ...sent, md5: withMd5 ? digest() : undefined, sha256: withSha256 ? digest('sha256') : undefined };
  };
}

function checkContent({ isInvalid }: ClientWorld, content: string, sizeBytes: number): void {
  if (!isInvalid(content, sizeBytes)) return;
  const problems = [{ line: 1, reason: 'is not a JSON object' }];
  throw new ContentInvalidError('the content is invalid', { invalid: 1, problems });
}

const HASH_STEPS = 4;

/** Reads the source in four steps, and saves its position as the real activity does. */
function hashSource(world: ClientWorld, process: Process, input: HashSourceInput): Promise<HashSourceResult> {
  let checkpoint: HashCheckpoint | undefined = input.resumeFrom;
  const { clock } = world;
  return runAttempt<HashSourceResult, HashCheckpoint>(
    async ({ signal, attempt, lastBeat, isWorkerStopping }) => {
      checkpoint = lastBeat ?? checkpoint;
      world.onCall('hashSource', process.info);
      world.trace(`hashSource from ${checkpoint?.offsetBytes ?? 0}`);
      const stepBytes = Math.ceil(input.sizeBytes / HASH_STEPS);
      for (;;) {
        const { fingerprint } = await openedFile(world, input, attempt, signal);
        if (fingerprint !== input.fingerprint) throw new SourceChangedError('the source was changed');
        const offsetBytes = checkpoint?.offsetBytes ?? 0;
        if (offsetBytes >= input.sizeBytes) {
          const content = contentOfSource(fingerprint, input.source);
          if (input.check) checkContent(world, content, input.sizeBytes);
          return {
            md5: input.onlyCheck ? '' : digestOfSource(content, input.sizeBytes),
            sha256: input.sha256 ? digestOfSource(content, input.sizeBytes, 'sha256') : undefined,
          };
        }
        const isStopped = await clock
          .sleep(world.durationMs('hashSource', `${process.info.key}/${offsetBytes}`), signal)
          .then(
            () => false,
            () => true,
          );
        if (process.isDead) return new Promise<never>(() => {});
        if (isStopped && isWorkerStopping()) throw new AbortedError('this worker is shutting down');
        if (isStopped) return { checkpoint: checkpoint ?? { offsetBytes: 0, state: '' } };
        checkpoint = { offsetBytes: Math.min(offsetBytes + stepBytes, input.sizeBytes), state: fingerprint };
      }
    },
    () => checkpoint,
  );
}

/** As the real activity decides it, a file that is missing in a folder is not waited for. */
async function openedFile(
  { sources }: ClientWorld,
  { source, within }: HashSourceInput,
  attempt: number,
  signal: AbortSignal,
): Promise<ModelFile> {
  try {
    return sources.at(source);
  } catch (error) {
    const real = { check: async () => sources.assertReadable() } as unknown as Sources;
    throw await scopedSourceError(error, { within }, { attempt }, { sources: real, signal });
  }
}
