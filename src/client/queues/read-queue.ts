import type { Client } from '@temporalio/client';
import { clip } from '../../core/text/clip.ts';

/** Numbers of temporal.api.enums.v1.TaskQueueType. */
const QueueType = { workflow: 1, activity: 2 } as const;
/** Number of temporal.api.enums.v1.WorkerVersioningMode. */
const VERSIONED = 2;

/** A worker that polled a queue recently. */
export interface QueuePoller {
  /** Identity of the process: `PID@HOST` unless it is set. */
  readonly identity: string;
  /** Time of the last poll, by the clock of the server. */
  readonly lastSeenMs: number;
  /** Build of its workflow code. An unversioned worker derives it from its bundle. */
  readonly buildId: string | undefined;
  /** Undefined for a worker without Worker Versioning. */
  readonly deploymentName: string | undefined;
}

export interface QueueDescription {
  /** Temporal keeps polls for some minutes, so this includes a worker that was killed recently. */
  readonly pollers: readonly QueuePoller[];
  /** Version that receives new workflows; undefined if unversioned workers receive them. */
  readonly current: { readonly deploymentName: string; readonly buildId: string } | undefined;
}

/** @throws ServiceError of Temporal's client */
export async function describeQueue(
  client: Client,
  taskQueue: string,
  type: keyof typeof QueueType,
): Promise<QueueDescription> {
  const { pollers, versioningInfo } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: QueueType[type],
  });
  const current = versioningInfo?.currentDeploymentVersion;
  return {
    pollers: (pollers ?? []).map(({ identity, lastAccessTime, deploymentOptions, workerVersionCapabilities }) => ({
      identity: clip(identity ?? '', 255),
      lastSeenMs: Number(lastAccessTime?.seconds ?? 0) * 1000,
      buildId: deploymentOptions?.buildId || workerVersionCapabilities?.buildId || undefined,
      deploymentName:
        deploymentOptions?.workerVersioningMode === VERSIONED ? (deploymentOptions.deploymentName ?? '') : undefined,
    })),
    current: current?.buildId ? { deploymentName: current.deploymentName ?? '', buildId: current.buildId } : undefined,
  };
}

/** Numbers of temporal.api.enums.v1.WorkerStatus. */
const SHUTTING_DOWN = 2;
const SHUTDOWN = 3;
/** The default of Temporal's SDK, for a worker that has sent one heartbeat only. */
const DEFAULT_INTERVAL_MS = 60_000;
const PAGE_SIZE = 1000;
/** Maximum number of workers that are described individually. */
const MAX_DESCRIBED = 20;

type Info = Awaited<ReturnType<typeof listed>>['workersInfo'][number];
type Heartbeat = NonNullable<Info['workerHeartbeat']>;

/** A worker of a queue, as its last heartbeat describes it. */
export interface QueueWorker {
  /** Identity of the process: `PID@HOST` unless it is set. */
  readonly identity: string;
  /** False from the start of its shutdown. */
  readonly isRunning: boolean;
  /** Time of the last heartbeat by the worker's clock. */
  readonly heardMs: number;
  readonly intervalMs: number;
}

/** Returns the workers that send heartbeats. Returns none if the server does not accept heartbeats. */
export async function listQueueWorkers(client: Client, query: string): Promise<readonly QueueWorker[]> {
  const { namespace } = client.options;
  try {
    const { workersInfo, workers } = await listed(client, query);
    const heartbeats = workersInfo.map(({ workerHeartbeat }) => workerHeartbeat);
    if (heartbeats.length > 0) return heartbeats.flatMap(toWorker);
    // Later servers omit heartbeats from the list.
    const newest = workers.toSorted((a, b) => milliseconds(b.startTime) - milliseconds(a.startTime));
    const described = await Promise.all(
      newest.slice(0, MAX_DESCRIBED).map(async ({ workerInstanceKey = '' }) => {
        const { workerInfo } = await client.workflowService.describeWorker({ namespace, workerInstanceKey });
        return workerInfo?.workerHeartbeat;
      }),
    );
    return described.flatMap(toWorker);
  } catch {
    // An earlier server, or a missing permission. If Temporal is unavailable, the next call throws.
    return [];
  }
}

function listed(client: Client, query: string) {
  const { namespace } = client.options;
  return client.workflowService.listWorkers({ namespace, query, pageSize: PAGE_SIZE });
}

function toWorker(heartbeat: Heartbeat | null | undefined): QueueWorker[] {
  const { workerIdentity, status, heartbeatTime, elapsedSinceLastHeartbeat } = heartbeat ?? {};
  if (!heartbeatTime) return [];
  return [
    {
      identity: workerIdentity ?? '',
      isRunning: status !== SHUTTING_DOWN && status !== SHUTDOWN,
      heardMs: milliseconds(heartbeatTime),
      intervalMs: milliseconds(elapsedSinceLastHeartbeat) || DEFAULT_INTERVAL_MS,
    },
  ];
}

/** Converts a timestamp of Temporal to milliseconds; 0 without a timestamp. */
function milliseconds(time: Heartbeat['heartbeatTime'] | Heartbeat['elapsedSinceLastHeartbeat']): number {
  return Number(time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6;
}
