import type { Client } from '@temporalio/client';
import { QueryName } from '../contracts/names.ts';
import { readPayload } from '../tolerant-client.ts';
import { isOutdated, OUTDATED } from './temporal-faults.ts';

/** A worker that cannot replay a job fails its queries immediately. */
const QUERY_TIMEOUT_MS = 5000;

/** Whether the version of the workers cannot continue a running job, because another version started it. */
export async function cannotBeContinued(temporal: Client, workflowId: string): Promise<boolean> {
  const handle = temporal.workflow.getHandle(workflowId);
  return temporal
    .withDeadline(Date.now() + QUERY_TIMEOUT_MS, () => handle.query(QueryName.progress))
    .then(() => false, isOutdated);
}

/**
 * Terminates a job that cannot be continued, with its uploads.
 *
 * @returns IDs of the sessions in its history, most of which are no longer open
 */
export async function terminateOutdated(temporal: Client, workflowId: string): Promise<readonly string[]> {
  const handle = temporal.workflow.getHandle(workflowId);
  const { raw } = await handle.describe();
  await handle.terminate(OUTDATED);
  const uploads = (raw.pendingChildren ?? []).flatMap((child) => child.workflowId ?? []);
  for (const upload of uploads)
    await temporal.workflow
      .getHandle(upload)
      .terminate(OUTDATED)
      .catch(() => {});
  const sessions = await Promise.all([workflowId, ...uploads].map((id) => sessionsOf(temporal, id).catch(() => [])));
  return [...new Set(sessions.flat())];
}

/** Any version returns the session of an upload as `uploadId`, from an activity or to its next execution. */
async function sessionsOf(temporal: Client, workflowId: string): Promise<string[]> {
  const { events } = await temporal.workflow.getHandle(workflowId).fetchHistory();
  const payloads = (events ?? []).flatMap(
    ({ activityTaskCompletedEventAttributes: completed, workflowExecutionStartedEventAttributes: started }) =>
      completed?.result?.payloads ?? started?.input?.payloads ?? [],
  );
  const values = await Promise.all(payloads.map((payload) => readPayload(temporal, payload).catch(() => undefined)));
  return values.flatMap(uploadIdsIn);
}

function uploadIdsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) =>
    name === 'uploadId' && typeof one === 'string' ? [one] : uploadIdsIn(one),
  );
}
