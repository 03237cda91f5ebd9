import { defaultPayloadConverter, type DescribeWorkflowExecutionResponse } from '@temporalio/client';
import type { PartHeartbeat } from '../contracts/activities.ts';
import type { PartTrouble } from './upload-events.ts';

type PendingActivity = NonNullable<DescribeWorkflowExecutionResponse['pendingActivities']>[number];
type Timestamp = PendingActivity['lastStartedTime'];

/** What Temporal itself knows of the activities that are not over: bytes told by heartbeats, and failures to repeat. */
export function partsUnderWay(pending: readonly PendingActivity[]): { bytesUnderWay: number; trouble?: PartTrouble } {
  const bytesUnderWay = pending
    .filter((activity) => activity.activityType?.name === 'uploadPart')
    .reduce((sum, activity) => sum + bytesTold(activity), 0);
  const troubled = pending.filter((activity) => activity.lastFailure && (activity.attempt ?? 1) > 1);
  const worst = troubled.toSorted((a, b) => (b.attempt ?? 0) - (a.attempt ?? 0))[0];
  if (!worst) return { bytesUnderWay };
  return {
    bytesUnderWay,
    trouble: {
      activity: worst.activityType?.name ?? '',
      attempt: worst.attempt ?? 1,
      failureType: worst.lastFailure?.applicationFailureInfo?.type ?? '',
      message: worst.lastFailure?.message ?? '',
    },
  };
}

/** Details of an earlier attempt stay until the present one has told something; its bytes are lost. */
function bytesTold(activity: PendingActivity): number {
  const [payload] = activity.heartbeatDetails?.payloads ?? [];
  if (!payload || seconds(activity.lastHeartbeatTime) < seconds(activity.lastStartedTime)) return 0;
  const told: unknown = defaultPayloadConverter.fromPayload(payload);
  const bytesSent = (told as Partial<PartHeartbeat> | null)?.bytesSent;
  return typeof bytesSent === 'number' ? bytesSent : 0;
}

function seconds(time: Timestamp): number {
  return Number(time?.seconds ?? 0) + (time?.nanos ?? 0) / 1e9;
}
