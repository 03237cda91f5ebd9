import type { Client } from '@temporalio/client';
import { clip } from '../../core/text/clip.ts';

/** Numbers of temporal.api.enums.v1.TaskQueueType. */
const QueueType = { workflow: 1, activity: 2 } as const;
/** Of temporal.api.enums.v1.WorkerVersioningMode. */
const VERSIONED = 2;

/** A worker that polled a queue lately. */
export interface QueuePoller {
  /** Of the process: `PID@HOST` unless it was set. */
  readonly identity: string;
  /** By the server's clock. */
  readonly lastSeenMs: number;
  /** Build of its workflow code; an unversioned worker makes it up from its bundle. */
  readonly buildId: string | undefined;
  /** Undefined for a worker without Worker Versioning. */
  readonly deploymentName: string | undefined;
}

export interface QueueDescription {
  /** Temporal remembers for some minutes, so a worker that was killed just now still counts. */
  readonly pollers: readonly QueuePoller[];
  /** Version that new workflows go to; undefined: to workers without one. */
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
