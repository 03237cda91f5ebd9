import pMap from 'p-map';
import { startJob } from '../../client/start-job.ts';
import { requireDestination } from '../../config/destinations.ts';
import { createDestination } from '../../destinations/kinds.ts';
import type { Destination } from '../../destinations/port.ts';
import type { Backend } from '../backend.ts';
import type { CliContext } from '../context.ts';
import type { CommandJob, Started } from './command-job.ts';
import type { Client } from '@temporalio/client';
import { QueryName } from '../../contracts/names.ts';
import { readPayload } from '../../temporal/tolerant-client.ts';
import { isOutdated, isUnanswered, OUTDATED } from '../../client/temporal-faults.ts';

const CONCURRENCY = 8;
const CANCEL_TIMEOUT_MS = 10_000;

/**
 * Restarts jobs that another version of Longhaul started and this version cannot continue. On the embedded server, no other
 * worker can continue them.
 *
 * @returns whether a job was restarted
 */
export async function restartOutdated(
  { config, note }: Pick<CliContext, 'config' | 'note'>,
  { client }: Pick<Backend, 'client'>,
  jobs: readonly Started<CommandJob>[],
  destination: string,
): Promise<boolean> {
  const outdated = await outdatedOf(client.temporal, jobs);
  for (const job of outdated) {
    const { workflowId } = job.handle;
    const noun = job.prepared.kind === 'sync' ? 'sync' : 'upload';
    note(
      `${workflowId}: another version of Longhaul started this ${noun}, and this version cannot continue it. Restarting it.`,
    );
    const sessions = await terminateOutdated(client.temporal, workflowId);
    await cancelSessions(createDestination(requireDestination(config, destination)), sessions);
    job.handle = await startJob(client.temporal, client.taskQueue, job.prepared);
  }
  return outdated.length > 0;
}

/** Returns the jobs that another version started. If no worker responds for one of them, skips the others. */
async function outdatedOf(temporal: Client, jobs: readonly Started<CommandJob>[]): Promise<Started<CommandJob>[]> {
  let isSilent = false;
  const check = async (job: Started<CommandJob>) => {
    const { workflowId, resumed } = job.handle;
    if (!resumed || isSilent || (await job.handle.describe()).status !== 'RUNNING') return [];
    try {
      return (await cannotBeContinued(temporal, workflowId)) ? [job] : [];
    } catch {
      isSilent = true;
      return [];
    }
  };
  return (await pMap(jobs, check, { concurrency: CONCURRENCY })).flat();
}

/** The service rejects this for a session that is no longer open. A session that cannot be cancelled expires. */
async function cancelSessions(service: Destination, sessions: readonly string[]): Promise<void> {
  try {
    const cancel = (id: string) => service.cancel(id, { timeoutMs: CANCEL_TIMEOUT_MS }).catch(() => {});
    await pMap(sessions, cancel, { concurrency: CONCURRENCY });
  } finally {
    await service.close();
  }
}

/** A worker that cannot replay a job fails its queries immediately. */
const QUERY_TIMEOUT_MS = 5000;

/** Whether the version of the workers cannot continue a running job, because another version started it. */
async function cannotBeContinued(temporal: Client, workflowId: string): Promise<boolean> {
  const handle = temporal.workflow.getHandle(workflowId);
  try {
    await temporal.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () => handle.query(QueryName.progress));
    return false;
  } catch (error) {
    if (isOutdated(error)) return true;
    if (isUnanswered(error)) throw error;
    return false;
  }
}

/**
 * Terminates a job that cannot be continued, with its uploads.
 *
 * @returns IDs of the sessions in its history, most of which are no longer open
 */
async function terminateOutdated(temporal: Client, workflowId: string): Promise<readonly string[]> {
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
