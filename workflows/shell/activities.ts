import type { Priority } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';
import type { ControlActivities, TransferActivities } from '../../src/contracts/activities.ts';
import type { FullUploadRequest } from '../../src/contracts/upload.ts';
import { requestPriority, type RequestPriority } from '../../src/core/upload/priority.ts';
import { firstPriority, transferQueueOf, type RawRequest } from './requests.ts';
import { callsOf, type Calls } from './results.ts';

/**
 * The first retry is fast, because it also moves the parts of a killed worker to another worker. Ten attempts take at least
 * a minute and a half. If the error persists, the upload waits, shows the reason and retries automatically. Permanent errors
 * are non-retryable failures.
 */
export const retry = {
  initialInterval: '300ms',
  backoffCoefficient: 2,
  maximumInterval: '30s',
  maximumAttempts: 10,
} as const;

/** The workflow cancels or replaces a session only after no part is in flight. */
const cancellationType = 'WAIT_CANCELLATION_COMPLETED';

export interface UploadActivities {
  readonly control: Calls<ControlActivities>;
  /** Best effort for a session that is no longer needed, because it expires automatically. */
  readonly cleanup: Calls<Pick<ControlActivities, 'cancelUpload'>>;
  readonly transfer: Calls<TransferActivities>;
}

/** Heartbeat timeout of the first activity, which returns the setting of an upload, and of the activities of syncs. */
export const HEARTBEAT_TIMEOUT = '10s';

/** The first activity of a workflow, which checks the request before it is used. */
export function firstActivities(request: RawRequest): UploadActivities['transfer'] {
  return callsOf<TransferActivities>({
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
  const priority = activityPriority(requestPriority(request));
  const common = { heartbeatTimeout: request.heartbeatTimeoutMs, retry, priority };
  return {
    control: callsOf<ControlActivities>({ ...common, startToCloseTimeout: '2m', cancellationType }),
    cleanup: callsOf<Pick<ControlActivities, 'cancelUpload'>>({
      ...common,
      startToCloseTimeout: '30s',
      scheduleToCloseTimeout: '5m',
    }),
    transfer: callsOf<TransferActivities>({
      ...common,
      taskQueue,
      startToCloseTimeout: '24h',
      cancellationType,
    }),
  };
}

/**
 * Without a key of the caller, each upload has a separate key. Otherwise an upload with many parts would delay a small one
 * with the same key, because the queue of a key is first in, first out.
 */
function activityPriority(wanted: RequestPriority): Priority {
  const { firstExecutionRunId, priority: own } = workflowInfo();
  return { ...own, fairnessKey: own?.fairnessKey || firstExecutionRunId, ...wanted };
}
