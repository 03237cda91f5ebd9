import type { Priority } from '@temporalio/common';
import { proxyActivities, workflowInfo, type ActivityInterfaceFor } from '@temporalio/workflow';
import type { ControlActivities, TransferActivities } from '../../src/contracts/activities.ts';
import type { FullUploadRequest } from '../../src/contracts/upload.ts';
import { requestPriority, type RequestPriority } from '../../src/core/upload/priority.ts';
import { firstPriority, transferQueueOf, type RawRequest } from './requests.ts';

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

export interface UploadActivities {
  readonly control: ActivityInterfaceFor<ControlActivities>;
  /** Best effort, for a session that is given up: it ends by itself if this doesn't get through. */
  readonly cleanup: ActivityInterfaceFor<Pick<ControlActivities, 'cancelUpload'>>;
  readonly transfer: ActivityInterfaceFor<TransferActivities>;
}

/** Of the first activity, which returns the setting of an upload, and of the activities of syncs. */
export const HEARTBEAT_TIMEOUT = '10s';

/** The first activity of a workflow: it checks the request, so that nothing of it is used before. */
export function firstActivities(request: RawRequest): UploadActivities['transfer'] {
  return proxyActivities<TransferActivities>({
    taskQueue: transferQueueOf(request),
    startToCloseTimeout: '24h',
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    cancellationType,
    retry,
    priority: activityPriority(firstPriority(request)),
  });
}

export function activitiesOf(request: FullUploadRequest): UploadActivities {
  const taskQueue = transferQueueOf({ ...request });
  const heartbeatTimeout = request.heartbeatTimeoutMs;
  const priority = activityPriority(requestPriority(request));
  return {
    control: proxyActivities<ControlActivities>({
      startToCloseTimeout: '2m',
      heartbeatTimeout,
      cancellationType,
      retry,
      priority,
    }),
    cleanup: proxyActivities<Pick<ControlActivities, 'cancelUpload'>>({
      startToCloseTimeout: '30s',
      scheduleToCloseTimeout: '5m',
      heartbeatTimeout,
      retry,
      priority,
    }),
    transfer: proxyActivities<TransferActivities>({
      taskQueue,
      startToCloseTimeout: '24h',
      heartbeatTimeout,
      cancellationType,
      retry,
      priority,
    }),
  };
}

/**
 * Without a key of its caller's an upload is its own: else one with many parts would hold up a small one that has the
 * same key, for within a key the queue is first in, first out.
 */
function activityPriority(wanted: RequestPriority): Priority {
  const { firstExecutionRunId, priority: own } = workflowInfo();
  return { ...own, fairnessKey: own?.fairnessKey || firstExecutionRunId, ...wanted };
}
