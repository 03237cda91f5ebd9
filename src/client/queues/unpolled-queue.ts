import type { Client } from '@temporalio/client';
import pMap from 'p-map';
import { hostOfQueue } from '../../contracts/names.ts';
import { listUploads, type ListOptions, type UploadSummary } from '../lists/list-uploads.ts';
import { pendingActivities, queuesOfRunning, queuesOfWaiting, type PendingActivity } from '../follow/pending.ts';
import type { UnpolledQueue } from '../jobs.ts';
import { QueueWorkers, type QueueLook } from './queue-workers.ts';

/** A worker that starts at the same time as an upload polls within this time. */
const START_MS = 2000;
/** Age of work, by this machine's clock, from which it does not wait for a starting worker. */
const OLD_MS = 30_000;
/** Time until the work of a workflow is read again. */
const RECHECK_MS = 1000;
/** Maximum number of uploads that are described. */
const MAX_DESCRIBED = 100;
const CONCURRENCY = 16;

/** Checks the queue of one workflow while it is followed. Checks workers only while work waits. */
export class UnpolledQueueWatch {
  readonly #client: Client;
  #waitingSinceMs: number | undefined;
  #checkedAtMs = -Infinity;
  #found: UnpolledQueue | undefined;

  constructor(client: Client) {
    this.#client = client;
  }

  /** @param pending activities of the workflow */
  async check(controlQueue: string, pending: readonly PendingActivity[]): Promise<UnpolledQueue | undefined> {
    const nowMs = performance.now();
    if (nowMs - this.#checkedAtMs < RECHECK_MS) return this.#found;
    this.#checkedAtMs = nowMs;
    // The progress is available even if this fails.
    this.#found = await this.#find(controlQueue, pending, nowMs).catch(() => undefined);
    return this.#found;
  }

  async #find(
    controlQueue: string,
    pending: readonly PendingActivity[],
    nowMs: number,
  ): Promise<UnpolledQueue | undefined> {
    const queues = queuesOfWaiting(pending);
    if (queues.length === 0) this.#waitingSinceMs = undefined;
    else this.#waitingSinceMs ??= isOld(pending) ? -Infinity : nowMs;
    // Its workers are checked from the start, because a worker is absent only after several checks.
    const look = (queue: string) => QueueWorkers.of(this.#client).look(queue, 'activity');
    const found = await firstUnpolled(controlQueue, pending, look);
    return nowMs - (this.#waitingSinceMs ?? nowMs) < START_MS ? undefined : found;
  }
}

/**
 * Returns the queue on which activities of a workflow wait and that no worker polls. If its workers were silent only for
 * some seconds, this takes 6 s.
 */
export async function findUnpolledQueue(
  client: Client,
  controlQueue: string,
  pending: readonly PendingActivity[],
): Promise<UnpolledQueue | undefined> {
  const look = (queue: string) => QueueWorkers.of(client).lookUntilCertain(queue, 'activity');
  return firstUnpolled(controlQueue, pending, look);
}

/** Returns the queues that no worker polls, by the IDs of the waiting workflows. Checks at most 100 workflows. */
export async function findUnpolledQueues(
  client: Client,
  workflows: readonly { readonly workflowId: string; readonly taskQueue: string }[],
): Promise<ReadonlyMap<string, UnpolledQueue>> {
  const find = async ({ workflowId, taskQueue }: (typeof workflows)[number]) => {
    const pending = await pendingActivities(client, workflowId);
    return [workflowId, await findUnpolledQueue(client, taskQueue, pending).catch(() => undefined)] as const;
  };
  const found = await pMap(workflows.slice(0, MAX_DESCRIBED), find, { concurrency: CONCURRENCY });
  return new Map(found.flatMap(([workflowId, queue]) => (queue ? [[workflowId, queue] as const] : [])));
}

/**
 * Returns the queues that no worker polls, by the IDs of the waiting uploads and syncs. Checks the latest 100 that are
 * running.
 */
export async function findWaiting(
  client: Client,
  options: Pick<ListOptions, 'taskQueue'> = {},
): Promise<ReadonlyMap<string, UnpolledQueue>> {
  const running: UploadSummary[] = [];
  const wanted = { ...options, syncs: true, running: true, limit: MAX_DESCRIBED };
  for await (const one of listUploads(client, wanted)) running.push(one);
  return findUnpolledQueues(client, running);
}

function isOld(pending: readonly PendingActivity[]): boolean {
  const newestMs = Math.max(...pending.map(({ scheduledTime }) => Number(scheduledTime?.seconds ?? 0) * 1000));
  return Date.now() - newestMs > OLD_MS;
}

async function firstUnpolled(
  controlQueue: string,
  pending: readonly PendingActivity[],
  look: (queue: string) => Promise<QueueLook>,
): Promise<UnpolledQueue | undefined> {
  const running = queuesOfRunning(pending);
  for (const taskQueue of queuesOfWaiting(pending)) {
    const { presence, hasHeartbeats } = await look(taskQueue);
    // After its worker was killed, an activity appears to run until its heartbeat timeout.
    const seemsToRun = !hasHeartbeats && running.includes(taskQueue);
    if (presence === 'unpolled' && !seemsToRun) return describe(taskQueue, controlQueue);
  }
  return undefined;
}

function describe(taskQueue: string, controlQueue: string): UnpolledQueue {
  const host = hostOfQueue(taskQueue, controlQueue);
  const fix =
    host === undefined
      ? 'Start "longhaul worker"'
      : `Start "longhaul worker" there, or on another machine with the same files and LONGHAUL_HOST=${host}`;
  const worker = host === undefined ? 'no worker' : `no worker of host ${host}`;
  return { taskQueue, host, reason: `${worker} polls task queue "${taskQueue}". ${fix}.` };
}
