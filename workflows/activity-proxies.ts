import { proxyActivities, workflowInfo, type ActivityInterfaceFor } from '@temporalio/workflow';
import type { ControlActivities, TransferActivities } from '../src/contracts/activities.ts';
import { Defaults } from '../src/contracts/limits.ts';
import { transferTaskQueue } from '../src/contracts/names.ts';
import type { UploadRequest } from '../src/contracts/upload.ts';

/**
 * The first retry is quick, as it is also how the parts of a dead worker get to the next one. A round of attempts takes
 * a minute and a half at least. Trouble that outlasts it is told to people: the upload waits, and goes on by itself
 * when the trouble has passed. What can't pass arrives as a non-retryable failure.
 */
export const retry = {
  initialInterval: '300ms',
  backoffCoefficient: 2,
  maximumInterval: '30s',
  maximumAttempts: 10,
} as const;

/** The workflow goes on to cancel or replace a session only when nothing is sending to it any more. */
const cancellationType = 'WAIT_CANCELLATION_COMPLETED';

/** No link that is worth using is slower; an attempt that is gets another chance. */
const SLOWEST_BYTES_PER_SECOND = 64 * 1024;

/** Long enough for a slow link, as a dead worker is noticed by its missing heartbeats anyway. */
export function partTimeoutMs(sizeBytes: number): number {
  return Math.max(300_000, Math.ceil((sizeBytes / SLOWEST_BYTES_PER_SECOND) * 1000));
}

export interface UploadActivities {
  readonly control: ActivityInterfaceFor<ControlActivities>;
  /** Best effort, for a session that is given up: it ends by itself if this doesn't get through. */
  readonly cleanup: ActivityInterfaceFor<Pick<ControlActivities, 'cancelUpload'>>;
  readonly transfer: ActivityInterfaceFor<TransferActivities>;
}

export function activitiesOf(request: UploadRequest): UploadActivities {
  const taskQueue = request.transferTaskQueue ?? transferTaskQueue(workflowInfo().taskQueue, request.source.host);
  const heartbeatTimeout = request.heartbeatTimeoutMs ?? Defaults.heartbeatTimeoutMs;
  return {
    // A server may read the whole file again before it answers a completion.
    control: proxyActivities<ControlActivities>({
      startToCloseTimeout: '15m',
      heartbeatTimeout,
      cancellationType,
      retry,
    }),
    cleanup: proxyActivities<Pick<ControlActivities, 'cancelUpload'>>({
      startToCloseTimeout: '30s',
      scheduleToCloseTimeout: '5m',
      retry,
    }),
    transfer: proxyActivities<TransferActivities>({
      taskQueue,
      startToCloseTimeout: '24h',
      heartbeatTimeout,
      cancellationType,
      retry,
    }),
  };
}
