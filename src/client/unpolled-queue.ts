import type { Client } from '@temporalio/client';
import { hostOfQueue } from '../contracts/names.ts';
import { describeQueue } from './describe-queue.ts';
import type { PendingActivity } from './pending-parts.ts';

/** Number of temporal.api.enums.v1.PendingActivityState. */
const SCHEDULED = 1;
/** A poll lasts a minute at most. A worker that runs has started another since. */
export const SILENT_MS = 150_000;
/** A worker that starts in the same moment as an upload polls by then. */
const START_MS = 2000;
/** Until a queue is checked again. */
const RECHECK_MS = 5000;

/** A task queue for which activities of an upload or a sync wait, and which no worker polls. */
export interface UnpolledQueue {
  readonly taskQueue: string;
  /** Host whose workers poll it; undefined if workers of all hosts do. */
  readonly host: string | undefined;
  /** Problem and fix, in one line. */
  readonly reason: string;
}

export async function findUnpolledQueue(
  client: Client,
  controlQueue: string,
  pending: readonly PendingActivity[],
  nowMs = Date.now(),
): Promise<UnpolledQueue | undefined> {
  // An activity that runs, or waits for its next attempt, had a worker a short time ago.
  const waiting = pending.filter(({ state, attempt }) => state === SCHEDULED && (attempt ?? 1) <= 1);
  const queues = new Set(waiting.flatMap(({ activityOptions }) => activityOptions?.taskQueue?.name || []));
  for (const taskQueue of queues) {
    const { pollers } = await describeQueue(client, taskQueue, 'activity');
    if (pollers.some(({ lastSeenMs }) => nowMs - lastSeenMs < SILENT_MS)) continue;
    return unpolledQueue(taskQueue, controlQueue);
  }
  return undefined;
}

export function unpolledQueue(taskQueue: string, controlQueue: string): UnpolledQueue {
  const host = hostOfQueue(taskQueue, controlQueue);
  const fix =
    host === undefined
      ? 'Start "longhaul worker"'
      : `Start "longhaul worker" there, or on another machine with the same files and LONGHAUL_HOST=${host}`;
  const worker = host === undefined ? 'no worker' : `no worker of host ${host}`;
  return { taskQueue, host, reason: `${worker} polls the queue ${taskQueue}. ${fix}.` };
}

/** Watches one workflow for a queue that no worker polls, with few calls. */
export class UnpolledQueueWatch {
  readonly #client: Client;
  #waitingSinceMs: number | undefined;
  #checkedAtMs = 0;
  #found: UnpolledQueue | undefined;

  constructor(client: Client) {
    this.#client = client;
  }

  async check(controlQueue: string, pending: readonly PendingActivity[]): Promise<UnpolledQueue | undefined> {
    const nowMs = Date.now();
    if (pending.every(({ state }) => state !== SCHEDULED)) {
      this.#waitingSinceMs = undefined;
      this.#found = undefined;
      return undefined;
    }
    this.#waitingSinceMs ??= nowMs;
    if (nowMs - this.#waitingSinceMs < START_MS || nowMs - this.#checkedAtMs < RECHECK_MS) return this.#found;
    this.#checkedAtMs = nowMs;
    // The progress itself is known all the same.
    this.#found = await findUnpolledQueue(this.#client, controlQueue, pending, nowMs).catch(() => undefined);
    return this.#found;
  }
}
