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
