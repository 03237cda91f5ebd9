import type { NativeConnection, WorkerInterceptors } from '@temporalio/worker';
import type { DataConverter } from '@temporalio/common';
import type { Registry } from 'prom-client';
import { Limits } from '../contracts/limits.ts';
import { MIN_LIMIT_BYTES_PER_SECOND } from '../core/pace/rate.ts';
import { isText, profilesProblems } from '../destinations/profile-problems.ts';
import { isPlainObject } from '../core/payload.ts';
import { taskQueueProblem } from '../core/task-queue.ts';
import type { DestinationProfile } from '../destinations/profile.ts';
import type { Tracing } from '../observe/tracing/tracing.ts';
import type { SourceSettings } from '../sources/source-settings.ts';

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
   * `http.hosts`, or everything by `any`. Key files, Longhaul's state, `/proc`, `/sys` and `/dev` (except
   * `/dev/shm`) are never read.
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

const MAX_TIMER_MS = 2 ** 31 - 1;
/** Temporal uses such IDs. */
const RESERVED = /^__/;

const known: Readonly<Record<keyof WorkerOptions, true>> = {
  connection: true,
  namespace: true,
  taskQueue: true,
  host: true,
  otherHosts: true,
  destinations: true,
  roles: true,
  transferSlots: true,
  limitBytesPerSecond: true,
  heartbeatIntervalMs: true,
  shutdownGraceMs: true,
  deployment: true,
  sources: true,
  metrics: true,
  tracing: true,
  dataConverter: true,
  interceptors: true,
  nexus: true,
  workflowThread: true,
};

/**
 * Problems of the types of the options, because programs without types can pass any value. `sources` and the properties of
 * the destinations are checked when they are used.
 */
function shapeProblems(options: unknown): string[] {
  if (!isPlainObject(options)) return ['they must be an object'];
  const unknown = Object.keys(options)
    .filter((name) => !Object.hasOwn(known, name))
    .map((name) => `"${name}" is not an option`);
  const check = (name: keyof WorkerOptions, isValid: (value: unknown) => boolean, what: string) =>
    options[name] === undefined || isValid(options[name]) ? [] : [`"${name}" must be ${what}`];
  const objects = ['deployment', 'metrics', 'tracing', 'dataConverter', 'interceptors'] as const;
  const flags = ['nexus', 'workflowThread'] as const;
  const lists = ['otherHosts', 'roles'] as const;
  return [
    ...unknown,
    ...(typeof options['destinations'] === 'function' ? [] : profilesProblems(options['destinations'])),
    ...objects.flatMap((name) => check(name, isPlainObject, 'an object')),
    ...flags.flatMap((name) => check(name, (value) => typeof value === 'boolean', 'true or false')),
    ...lists.flatMap((name) =>
      check(name, (value) => Array.isArray(value) && value.every(isText), 'a list of non-empty strings'),
    ),
  ];
}

/** Every problem of the options of a worker, apart from those that are found when `destinations` and `sources` are used. */
export function workerOptionProblems(options: Omit<WorkerOptions, 'connection'>): string[] {
  const ofShape = shapeProblems(options);
  if (ofShape.length > 0) return ofShape;
  const { taskQueue, roles, transferSlots, limitBytesPerSecond, heartbeatIntervalMs, shutdownGraceMs } = options;
  const { deployment, dataConverter } = options;
  const problems: string[] = [];
  const text = (name: string, value: unknown) => {
    if (value !== undefined && (typeof value !== 'string' || value === '')) problems.push(`"${name}" must be a text`);
  };
  const whole = (name: string, value: unknown, least: number, most: number) => {
    if (value === undefined || (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most)) return;
    problems.push(`"${name}" must be a whole number from ${least} to ${most}`);
  };
  const ofQueue = taskQueue === undefined ? undefined : taskQueueProblem(taskQueue);
  if (ofQueue !== undefined) problems.push(`"taskQueue" ${ofQueue}`);
  text('namespace', options.namespace);
  text('host', options.host);
  text('deployment.deploymentName', deployment && deployment.deploymentName);
  text('deployment.buildId', deployment && deployment.buildId);
  // Temporal rejects the polls of such a worker, and the SDK repeats them without a message.
  if (deployment && /[.:]|^__/.test(deployment.deploymentName)) {
    problems.push('"deployment.deploymentName" must not contain "." or ":", or start with "__"');
  }
  if (deployment && RESERVED.test(deployment.buildId)) problems.push('"deployment.buildId" must not start with "__"');
  if (roles?.every((role) => role === 'control' || role === 'transfer') === false || roles?.length === 0) {
    problems.push('"roles" must be a list of "control" and "transfer"');
  }
  if (dataConverter?.payloadConverterPath !== undefined) {
    problems.push(
      '"dataConverter" must not have a "payloadConverterPath", because the workflows have their own. Use codecs',
    );
  }
  whole('transferSlots', transferSlots, 1, Limits.maxConcurrency);
  whole('limitBytesPerSecond', limitBytesPerSecond, MIN_LIMIT_BYTES_PER_SECOND, Number.MAX_SAFE_INTEGER);
  whole('heartbeatIntervalMs', heartbeatIntervalMs, 1, MAX_TIMER_MS);
  whole('shutdownGraceMs', shutdownGraceMs, 0, MAX_TIMER_MS);
  return problems;
}
