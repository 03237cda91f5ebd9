import {
  NativeConnection,
  type WorkerDeploymentOptions,
  type WorkerInterceptors,
  type WorkerOptions as TemporalWorkerOptions,
} from '@temporalio/worker';
import type { DataConverter } from '@temporalio/common';
import type { Registry } from 'prom-client';
import { createControlActivities, createTransferActivities } from '../../activities/index.ts';
import { ConfigDefaults } from '../config/config.ts';
import { workerSources } from '../config/sources.ts';
import { thisHost } from '../config/host-identity.ts';
import { packageFiles } from '../package-files.ts';
import { DEFAULT_TASK_QUEUE, transferTaskQueue } from '../contracts/names.ts';
import { ConfigError } from '../errors.ts';
import type { DestinationProfile } from '../destinations/profile.ts';
import { warmUpParser } from '../destinations/http/warm-up-parser.ts';
import type { SourceSettings } from '../sources/source-settings.ts';
import { Sources } from '../sources/sources.ts';
import type { Tracing } from '../observe/tracing/tracing.ts';
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
import { createAll, LonghaulWorker } from './longhaul-worker.ts';
import { workerOptionProblems } from './option-problems.ts';
import { NamespaceAttributes } from './attributes.ts';
import { createNexusService } from './nexus.ts';
import { assertOwnSdk } from './sdk-copies.ts';

export interface WorkerOptions {
  readonly connection: NativeConnection;
  /** @defaultValue `default` */
  readonly namespace?: string;
  /** Queue of the workflows and of calls without content. The names of the transfer queues are derived from it. @defaultValue `longhaul` */
  readonly taskQueue?: string;
  /** Name of this machine in `source.host`. @defaultValue `LONGHAUL_HOST`, or the host name */
  readonly host?: string;
  /** Further names of this machine in `source.host`, such as earlier ones. @defaultValue none */
  readonly otherHosts?: readonly string[];
  /** A list, or a function that throws ConfigError for an unknown name. */
  readonly destinations: readonly DestinationProfile[] | ((name: string) => DestinationProfile);
  /**
   * `control` runs workflows and calls without content, `transfer` sends parts. @defaultValue both
   */
  readonly roles?: readonly ('control' | 'transfer')[];
  /**
   * Maximum parts sent at the same time. For each transfer queue, as many MD5s are computed in parallel.
   * @defaultValue 8 at first, then it adapts to each destination, between 1 and 32 (`AutoConcurrency`)
   */
  readonly transferSlots?: number | undefined;
  /** Maximum bytes per second of all parts that this worker sends, at least 131,072. @defaultValue no limit */
  readonly limitBytesPerSecond?: number | undefined;
  /** Minimum milliseconds between two heartbeats of a part that reach the server. @defaultValue 5,000 */
  readonly heartbeatIntervalMs?: number;
  /** Milliseconds in which parts in flight can complete at shutdown, before they are released. @defaultValue 0 */
  readonly shutdownGraceMs?: number;
  /**
   * Version of this worker's workflow code, for Temporal's Worker Versioning: new and running uploads go to the
   * deployment's current version. Only the control queue is versioned. @defaultValue unversioned
   */
  readonly deployment?: WorkerDeploymentVersion;
  /**
   * Sources that callers can name: files by `files.roots`, S3 buckets by `buckets`, HTTP hosts by
   * `http.hosts`, or everything by `any`. Key files, Longhaul's state, `/proc`, `/sys` and `/dev` are never read.
   * @defaultValue nothing
   */
  readonly sources?: SourceSettings;
  /** The metrics of this worker. Those of workflows use the exporter of Temporal's `Runtime`. @defaultValue no metrics */
  readonly metrics?: WorkerMetricsOptions;
  /** Spans of workflows, activities and calls, created by `startTracing`. @defaultValue none */
  readonly tracing?: Tracing | undefined;
  /**
   * Payload codecs and failure converter for all payloads of this worker. Clients need the same. With a codec, messages
   * and stack traces of failures pass it, too. Longhaul's workflows have their own payload converter.
   *
   * @defaultValue encryption with the keys of `LONGHAUL_ENCRYPTION_KEY_FILE` (`encryptedDataConverter`); otherwise none
   */
  readonly dataConverter?: DataConverter | undefined;
  /**
   * Your interceptors, around those of Longhaul. With `workflowModules`, the worker bundles the workflows when it is
   * created, which takes some seconds. @defaultValue none
   */
  readonly interceptors?: Pick<WorkerInterceptors, 'activity' | 'nexus' | 'workflowModules'>;
  /**
   * Whether a worker with the role `control` also runs the Nexus service `longhaulService` of `longhaul/nexus`.
   * @defaultValue false
   */
  readonly nexus?: boolean;
  /**
   * Whether workflows run in a separate thread. `false` is for a worker of few uploads: it starts with 0.3 s less CPU time,
   * but workflows and uploads share one core. @defaultValue true
   */
  readonly workflowThread?: boolean;
}

export interface WorkerMetricsOptions {
  /** Of `prom-client`. Workers of one process can share it. */
  readonly registry: Registry;
  /**
   * Names of destinations that have a label from the start. @defaultValue those of a list of `destinations`. With a
   * function, each destination that was used
   */
  readonly destinations?: readonly string[];
}

export interface WorkerDeploymentVersion {
  readonly deploymentName: string;
  readonly buildId: string;
}

/** Temporal's default is 10 s: a workflow would wait for a killed worker for this time. */
const STICKY_TIMEOUT_MS = 3000;

const CONTROL_SLOTS = 32;

/** For `isReady`: a slower Temporal server is not ready. */
const ANSWER_TIMEOUT_MS = 3000;

/**
 * Creates a worker; `run` starts it.
 *
 * @throws ConfigError if an option is invalid, with every problem
 * @throws NamespaceNotFoundError, TemporalDeniedError, TemporalUnreachableError if Temporal does not accept the worker
 */
export async function createWorker(options: WorkerOptions): Promise<LonghaulWorker> {
  const problems = workerOptionProblems(options);
  if (problems.length > 0) throw new ConfigError(`invalid options of a worker: ${problems.join('; ')}`);
  const { connection, namespace = 'default', taskQueue = DEFAULT_TASK_QUEUE } = options;
  assertOwnSdk(connection, NativeConnection, '"connection"');
  const hosts = new Set([thisHost(options.host), ...(options.otherHosts ?? [])]);
  const { roles = ['control', 'transfer'], shutdownGraceMs = 0, deployment } = options;
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
  const [workers] = await Promise.all([
    createAll(wanted),
    roles.includes('control') ? registerAttributes(attributes, namespace) : undefined,
    warmUpParser(),
  ]).catch((error: unknown) => {
    throw workerFault(error);
  });
  if (metered && roles.includes('control')) metered.startWorkflowCounters({ namespace, taskQueue });
  const calls = { start: () => roles.includes('control') && waiting.start(), close: () => waiting.close() };
  return new LonghaulWorker(workers, [calls, keyWatch, destinations, sources], () =>
    connection.withDeadline(Date.now() + ANSWER_TIMEOUT_MS, () => connection.workflowService.getSystemInfo({})),
  );
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
