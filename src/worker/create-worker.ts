import { hostname } from 'node:os';
import {
  NativeConnection,
  type WorkerDeploymentOptions,
  type WorkerOptions as TemporalWorkerOptions,
} from '@temporalio/worker';
import type { DataConverter } from '@temporalio/common';
import { createControlActivities, createTransferActivities } from '../../activities/index.ts';
import { ConfigDefaults } from '../config/config.ts';
import { workerSources } from '../config/sources.ts';
import { thisHost } from '../config/host-identity.ts';
import { assertOpenFiles } from '../config/open-files.ts';
import { packageFiles } from '../package-files.ts';
import { DEFAULT_TASK_QUEUE, transferTaskQueue } from '../contracts/names.ts';
import { ConfigError } from '../errors.ts';
import type { DestinationProfile } from '../destinations/profile.ts';
import { warmUpParser } from '../destinations/http/warm-up-parser.ts';
import { Sources } from '../sources/sources.ts';
import { environmentDataConverter } from '../config/temporal.ts';
import { workflowBundleOf } from './bundle.ts';
import { Destinations } from './destinations.ts';
import { KeyWatch, noteRejections } from './key-watch.ts';
import { logUpload, registerAttributes, warnOfRejectedSources } from './log.ts';
import { Gates } from '../pace/gate.ts';
import { currentWorkflow } from './sealing-workflow.ts';
import { WaitingUploads } from './waiting-uploads.ts';
import { UploadRates } from '../pace/upload-rates.ts';
import { transferTuner } from '../pace/slots.ts';
import { workerFault } from './faults.ts';
import { grpcFault } from '../temporal/grpc-cause.ts';
import { createAll, LonghaulWorker } from './longhaul-worker.ts';
import {
  workerOptionProblems,
  type WorkerMetricsOptions,
  type WorkerDeploymentVersion,
  type WorkerOptions,
} from './options.ts';
import { NamespaceAttributes } from './attributes.ts';
import { createNexusService } from './nexus.ts';
import { assertOwnSdk } from './sdk-copies.ts';

/** Temporal's default is 10 s: a workflow would wait for a killed worker for this time. */
const STICKY_TIMEOUT_MS = 3000;

const CONTROL_SLOTS = 32;

/** For `isReady`: a slower Temporal server is not ready. */
const ANSWER_TIMEOUT_MS = 3000;
const DESCRIBE_TIMEOUT_MS = 10_000;

/**
 * Creates a worker; `run` starts it.
 *
 * @throws ConfigError if an option is invalid, with every problem, or if the process does not run on Node.js
 * @throws NamespaceNotFoundError, TemporalDeniedError, TemporalUnreachableError if Temporal does not accept the worker
 */
export async function createWorker(options: WorkerOptions): Promise<LonghaulWorker> {
  const problems = workerOptionProblems(options);
  if (problems.length > 0) throw new ConfigError(`invalid options of a worker: ${problems.join('; ')}`);
  const { connection, namespace = 'default', taskQueue = DEFAULT_TASK_QUEUE } = options;
  assertNode();
  assertOwnSdk(connection, NativeConnection, '"connection"');
  const hosts = new Set([thisHost(options.host), ...(options.otherHosts ?? [])]);
  const { roles = ['control', 'transfer'], shutdownGraceMs = 0, deployment } = options;
  if (roles.includes('transfer')) assertOpenFiles();
  const { transferSlots, limitBytesPerSecond } = options;
  const heartbeatIntervalMs = options.heartbeatIntervalMs ?? ConfigDefaults.heartbeatIntervalMs;
  const dataConverter = workerDataConverter(options);
  const requestRate = { connection, namespace, taskQueue, dataConverter };
  const gates = new Gates({ slots: transferSlots, limitBytesPerSecond, requestRate });
  const { tracing, interceptors } = options;
  const metered = options.metrics && (await meter(options.metrics, options));
  const watch = (profile: DestinationProfile) => ({
    around: tracing?.aroundCalls(profile.traceHeaders ?? false),
    opened: metered?.sessionCounter(profile.name),
  });
  const shared = { gate: gates.gateOf, watch };
  const destinations =
    typeof options.destinations === 'function'
      ? new Destinations(options.destinations, shared)
      : Destinations.of(options.destinations, shared);
  const sources = new Sources(workerSources(options.sources), undefined, currentWorkflow);
  const waiting = new WaitingUploads({ connection, namespace, taskQueue, dataConverter });
  const keyWatch = new KeyWatch({ keysOf: destinations.keysOf, retry: waiting.retry });
  const attributes = new NamespaceAttributes(connection, namespace);
  const dependencies = {
    hasAttributes: attributes.areKnown,
    destination: destinations.get,
    sources,
    rates: new UploadRates(),
    watchPart: metered?.watchPart,
  };

  const common = {
    connection,
    namespace,
    identity: nextIdentity(),
    dataConverter,
    shutdownGraceTime: shutdownGraceMs,
    interceptors: {
      activity: [
        ...(tracing ? [tracing.activityInterceptor] : []),
        ...(interceptors?.activity ?? []),
        logUpload,
        noteRejections(keyWatch),
      ],
      nexus: interceptors?.nexus,
    },
  };
  const transfer = (queue: string): TemporalWorkerOptions => ({
    ...common,
    taskQueue: queue,
    activities: createTransferActivities(dependencies),
    tuner: transferTuner(gates.createSlots()),
    maxHeartbeatThrottleInterval: heartbeatIntervalMs,
    defaultHeartbeatThrottleInterval: heartbeatIntervalMs,
  });
  const control: TemporalWorkerOptions = {
    ...common,
    taskQueue,
    workflowBundle: await workflowBundleOf(
      tracing !== undefined,
      Boolean(dataConverter?.payloadCodecs?.length),
      interceptors?.workflowModules,
    ),
    // The SDK's name for workflows without a thread. `false` would override the SDK's variable TEMPORAL_DEBUG.
    ...(options.workflowThread === false ? { debugMode: true } : {}),
    nexusServices: options.nexus ? [createNexusService()] : undefined,
    ...(tracing ? { sinks: tracing.sinks } : {}),
    activities: createControlActivities(dependencies),
    maxConcurrentActivityTaskExecutions: CONTROL_SLOTS,
    stickyQueueScheduleToStartTimeout: STICKY_TIMEOUT_MS,
    ...(deployment ? { workerDeploymentOptions: versioned(deployment) } : {}),
  };
  const wanted = [
    ...(roles.includes('control') ? [control] : []),
    ...(roles.includes('transfer')
      ? [undefined, ...hosts].map((host) => transfer(transferTaskQueue(taskQueue, host)))
      : []),
  ];
  if (roles.includes('transfer') && !options.sources?.isOfCommand) warnOfRejectedSources(options.sources);
  const held = [keyWatch, destinations, sources];
  const create = async () => {
    await describeNamespace(connection, namespace);
    return Promise.all([
      createAll(wanted),
      roles.includes('control') ? registerAttributes(attributes, namespace) : undefined,
      warmUpParser(),
    ]);
  };
  const [workers] = await create().catch(async (error: unknown) => {
    await Promise.all([waiting, ...held].map((one) => one.close()));
    throw workerFault(error);
  });
  if (metered && roles.includes('control')) metered.startWorkflowCounters({ namespace, taskQueue });
  const calls = { start: () => roles.includes('control') && waiting.start(), close: () => waiting.close() };
  return new LonghaulWorker(workers, [calls, ...held], () =>
    connection.withDeadline(Date.now() + ANSWER_TIMEOUT_MS, () => connection.workflowService.getSystemInfo({})),
  );
}

/**
 * Fails if Temporal cannot describe the namespace. The SDK's worker would fail, too, and would remain registered on the
 * connection, so that each further worker of the queue would fail.
 */
async function describeNamespace(connection: NativeConnection, namespace: string): Promise<void> {
  const call = () => connection.workflowService.describeNamespace({ namespace });
  try {
    await connection.withDeadline(Date.now() + DESCRIBE_TIMEOUT_MS, call);
  } catch (error) {
    // As the SDK: a server for tests does not have to support the call.
    if (grpcFault(error)?.status !== 'UNIMPLEMENTED') throw error;
  }
}

let workersOfProcess = 0;

/** Without the number, Temporal could not distinguish a worker from one of the same process that was shut down. */
function nextIdentity(): string {
  workersOfProcess++;
  return `${process.pid}@${hostname()}${workersOfProcess === 1 ? '' : `#${workersOfProcess}`}`;
}

/** Bun replaces undici, which sends the parts, by classes without its methods. */
function assertNode(): void {
  if (process.versions['bun'] === undefined) return;
  throw new ConfigError('a worker of Longhaul cannot run on Bun. Run this program with Node.js 20.19 or later');
}

/** With a codec, also the texts of failures pass it, unless the caller has a failure converter. */
function workerDataConverter({ dataConverter = environmentDataConverter() }: WorkerOptions): DataConverter | undefined {
  if (!dataConverter?.payloadCodecs?.length) return dataConverter;
  return { failureConverterPath: packageFiles.failureConverter, ...dataConverter };
}

/** The code of metrics is loaded only if they are requested. */
async function meter({ registry, destinations: names }: WorkerMetricsOptions, { destinations }: WorkerOptions) {
  const { startWorkflowCounters, workerMetricsOf } = await import('../observe/metrics/worker-metrics.ts');
  const metrics = workerMetricsOf(registry);
  const given = typeof destinations === 'function' ? [] : destinations.map(({ name }) => name);
  for (const name of names ?? given) metrics.addDestination(name);
  return { sessionCounter: metrics.sessionCounter, watchPart: metrics.watchPart, startWorkflowCounters };
}

/**
 * An upload can outlive the workers of its build. If it were pinned to them, it would wait for a build that no worker runs.
 * Therefore, it continues with the current build, whose code must replay its history.
 */
function versioned(version: WorkerDeploymentVersion): WorkerDeploymentOptions {
  return { version, useWorkerVersioning: true, defaultVersioningBehavior: 'AUTO_UPGRADE' };
}
