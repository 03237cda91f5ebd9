import { defaultPayloadConverter, type DescribeWorkflowExecutionResponse, type Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import type { PartHeartbeat } from '../../contracts/activities.ts';
import { Limits } from '../../contracts/limits.ts';
import { decodePayloads, readPayload } from '../../temporal/tolerant-client.ts';
import { clipMessage } from '../../core/text/clip.ts';
import { shellWord } from '../../core/text/shell-word.ts';

/** The newest failure of an activity that is retried. */
export interface PartTrouble {
  readonly activity: string;
  /** The current or next attempt, counted from 1. */
  readonly attempt: number;
  /** One of `FailureType`, or empty. */
  readonly failureType: string;
  readonly message: string;
}

/** An activity that an operator has paused in Temporal: the job waits for it. */
export interface PausedActivity {
  /** The job, or one of its uploads. */
  readonly workflowId: string;
  readonly activityId: string;
  /** Problem and fix on one line. */
  readonly reason: string;
}

export type PendingActivity = NonNullable<DescribeWorkflowExecutionResponse['pendingActivities']>[number];
type Timestamp = PendingActivity['lastStartedTime'];

/** Decodes what a codec has encoded in activities that are not over: heartbeats, and messages of failures. */
export async function decodedPending(
  client: Client,
  pending: readonly PendingActivity[] | null | undefined,
): Promise<readonly PendingActivity[]> {
  if (client.options.loadedDataConverter.payloadCodecs.length === 0) return pending ?? [];
  return Promise.all((pending ?? []).map((activity) => decodedActivity(client, activity)));
}

async function decodedActivity(client: Client, activity: PendingActivity): Promise<PendingActivity> {
  const { heartbeatDetails, lastFailure } = activity;
  const attributes = lastFailure?.encodedAttributes;
  const [details, failure] = await Promise.all([
    decodePayloads(client, heartbeatDetails?.payloads ?? []).catch(() => []),
    attributes ? readPayload<{ readonly message?: unknown }>(client, attributes).catch(() => undefined) : undefined,
  ]);
  return {
    ...activity,
    heartbeatDetails: { payloads: details },
    lastFailure: lastFailure && {
      ...lastFailure,
      message: typeof failure?.message === 'string' ? failure.message : lastFailure.message,
    },
  };
}

/** Temporal's data about open activities: bytes from heartbeats, and failures before the next attempt. */
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
      message: clipMessage(worst.lastFailure?.message ?? ''),
    },
  };
}

/** Returns an activity that an operator has paused, which Temporal does not dispatch again; undefined if none is paused. */
export function pausedActivityOf(workflowId: string, pending: readonly PendingActivity[]): PausedActivity | undefined {
  const paused = pending.find((activity) => activity.paused === true);
  if (!paused) return undefined;
  const activityId = paused.activityId ?? '';
  const fix = `Run "temporal activity unpause --workflow-id ${shellWord(workflowId)} --activity-id ${shellWord(activityId)}".`;
  const reason = `the activity ${paused.activityType?.name ?? ''} is paused in Temporal. ${fix}`;
  return { workflowId, activityId, reason };
}

/** Temporal keeps the heartbeat of an earlier attempt until the first of the current one. Its bytes are lost. */
function bytesTold(activity: PendingActivity): number {
  const [payload] = activity.heartbeatDetails?.payloads ?? [];
  if (!payload || seconds(activity.lastHeartbeatTime) < seconds(activity.lastStartedTime)) return 0;
  const bytesSent = (detailsOf(payload) as Partial<PartHeartbeat> | null | undefined)?.bytesSent;
  return typeof bytesSent === 'number' && bytesSent >= 0 && bytesSent <= Limits.settablePartSizeBytes ? bytesSent : 0;
}

/** Undefined if another program wrote the heartbeat in another form. */
function detailsOf(payload: Payload): unknown {
  try {
    return defaultPayloadConverter.fromPayload(payload);
  } catch {
    return undefined;
  }
}

function seconds(time: Timestamp): number {
  return Number(time?.seconds ?? 0) + (time?.nanos ?? 0) / 1e9;
}

/** Numbers of temporal.api.enums.v1.PendingActivityState. */
const SCHEDULED = 1;
const STARTED = 2;

/** Returns no activities if the workflow was deleted or cannot be described. */
export async function pendingActivities(client: Client, workflowId: string): Promise<readonly PendingActivity[]> {
  const described = await client.workflow
    .getHandle(workflowId)
    .describe()
    .catch(() => undefined);
  return described?.raw.pendingActivities ?? [];
}

/** An activity between two attempts does not wait for a worker. */
export function queuesOfWaiting(pending: readonly PendingActivity[]): string[] {
  const waiting = pending.filter(
    ({ state, nextAttemptScheduleTime }) => state === SCHEDULED && !nextAttemptScheduleTime,
  );
  return [...new Set(waiting.flatMap(queueOf))];
}

export function queuesOfRunning(pending: readonly PendingActivity[]): string[] {
  return pending.filter(({ state }) => state === STARTED).flatMap(queueOf);
}

function queueOf({ activityOptions }: PendingActivity): string[] {
  const name = activityOptions?.taskQueue?.name;
  return name ? [name] : [];
}
