import { setTimeout } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import pMap from 'p-map';
import { queryText } from '../../core/show/attributes.ts';
import { describeQueue, type QueueDescription, listQueueWorkers, type QueueWorker } from './read-queue.ts';
import { listUploads } from '../lists/list-uploads.ts';
import { pendingActivities, queuesOfRunning } from '../follow/pending.ts';

/** Number of missing heartbeats after which a worker counts as absent. */
const MISSED_HEARTBEATS = 3;
const LEAST_SILENCE_MS = 5000;
/** Limit without heartbeats: a poll takes at most a minute, then an idle worker polls again. */
const SILENT_POLL_MS = 90_000;
/** More than any difference between clocks. */
const CERTAIN_MS = 5 * 60_000;
/** Time until a second check confirms that a worker is silent, and that not only its clock differs. */
const CONFIRM_MS = 6000;
/** Time for which a result is cached. */
const FRESH_MS = { polled: 5000, silent: 2000, unpolled: 2000 } as const;
/** Maximum number of uploads that are described to find one that runs on a queue. */
const MAX_DESCRIBED = 20;
const CONCURRENCY = 8;

/** Whether a worker polls a queue. `silent`: one polled it a short time ago and has sent nothing since then. */
type QueuePresence = 'polled' | 'silent' | 'unpolled';

export interface QueueLook {
  readonly presence: QueuePresence;
  /** Undefined if a heartbeat was sufficient. */
  readonly description?: QueueDescription;
  /** Whether workers of the queue send heartbeats. Temporal servers before 1.30 or so do not accept them. */
  readonly hasHeartbeats: boolean;
}

type QueueKind = 'workflow' | 'activity';

/**
 * Determines whether workers poll task queues, from their heartbeats and polls. A worker with full slots sends heartbeats,
 * but does not poll. After a shutdown, a worker is absent immediately. After SIGKILL, it is absent after the time of three
 * heartbeats.
 */
export class QueueWorkers {
  static readonly #ofClients = new WeakMap<Client, QueueWorkers>();
  readonly #client: Client;
  readonly #looks = new Map<string, { readonly freshUntilMs: number; readonly look: Promise<QueueLook> }>();
  /** The newest heartbeat or poll of each queue, and the time at which this process first saw it. */
  readonly #signs = new Map<string, { readonly newestMs: number; readonly sinceMs: number }>();

  private constructor(client: Client) {
    this.#client = client;
  }

  /** Returns the instance that all handles of a client share. */
  static of(client: Client): QueueWorkers {
    const found = this.#ofClients.get(client) ?? new QueueWorkers(client);
    this.#ofClients.set(client, found);
    return found;
  }

  /**
   * Checks a queue once.
   *
   * @param isNew whether to ignore a cached result
   * @throws ServiceError of Temporal's client
   */
  look(taskQueue: string, kind: QueueKind, isNew = false): Promise<QueueLook> {
    const key = `${kind} ${taskQueue}`;
    const known = isNew ? undefined : this.#looks.get(key);
    if (known && performance.now() < known.freshUntilMs) return known.look;
    const look = this.#lookNow(key, taskQueue, kind);
    this.#looks.set(key, { freshUntilMs: Infinity, look });
    look.then(
      ({ presence }) => this.#looks.set(key, { freshUntilMs: performance.now() + FRESH_MS[presence], look }),
      // The caller receives the error.
      () => this.#looks.delete(key),
    );
    return look;
  }

  /**
   * Checks a queue. If a worker is silent, checks again after 6 s.
   *
   * @throws ServiceError of Temporal's client
   */
  async lookUntilCertain(taskQueue: string, kind: QueueKind): Promise<QueueLook> {
    const first = await this.look(taskQueue, kind);
    if (first.presence !== 'silent') return first;
    await setTimeout(CONFIRM_MS + 100);
    return this.look(taskQueue, kind);
  }

  async #lookNow(key: string, taskQueue: string, kind: QueueKind): Promise<QueueLook> {
    const workers = await listQueueWorkers(this.#client, `TaskQueue=${queryText(taskQueue)}`);
    const hasHeartbeats = workers.length > 0;
    const nowMs = Date.now();
    const heartbeats = workers.filter(({ isRunning }) => isRunning).map(({ heardMs }) => heardMs);
    if (heartbeats.length > 0) this.#note(key, Math.max(...heartbeats));
    if (workers.some((worker) => isHeard(worker, nowMs))) return { presence: 'polled', hasHeartbeats };
    const description = await describeQueue(this.#client, taskQueue, kind);
    const polls = description.pollers
      .filter((poller) => !isOfEndedProcess(poller, workers))
      .map(({ lastSeenMs }) => lastSeenMs);
    if (polls.some((lastSeenMs) => nowMs - lastSeenMs < SILENT_POLL_MS)) {
      return { presence: 'polled', description, hasHeartbeats };
    }
    // Without heartbeats, workers with full slots seem to be absent.
    if (!hasHeartbeats && (await runsOn(this.#client, taskQueue))) {
      return { presence: 'polled', description, hasHeartbeats };
    }
    const signs = heartbeats.length > 0 ? heartbeats : polls;
    const isCertain = signs.length === 0 || this.#isOld(key, Math.max(...signs), nowMs);
    return { presence: isCertain ? 'unpolled' : 'silent', description, hasHeartbeats };
  }

  /** Whether a heartbeat or poll is old by this machine's clock, and this process has not seen a newer one since. */
  #isOld(key: string, newestMs: number, nowMs: number): boolean {
    return nowMs - newestMs > CERTAIN_MS || performance.now() - this.#note(key, newestMs) >= CONFIRM_MS;
  }

  /** @returns the time at which this process first saw the heartbeat or poll */
  #note(key: string, newestMs: number): number {
    const known = this.#signs.get(key);
    if (known?.newestMs === newestMs) return known.sinceMs;
    const sinceMs = performance.now();
    this.#signs.set(key, { newestMs, sinceMs });
    return sinceMs;
  }
}

function isHeard({ isRunning, heardMs, intervalMs }: QueueWorker, nowMs: number): boolean {
  return isRunning && nowMs - heardMs < Math.max(MISSED_HEARTBEATS * intervalMs, LEAST_SILENCE_MS);
}

/** Temporal lists the poll of a process for some minutes after it exits. Its last heartbeat is about as old. */
function isOfEndedProcess(
  { identity, lastSeenMs }: QueueDescription['pollers'][number],
  workers: readonly QueueWorker[],
): boolean {
  const ends = workers
    .filter((worker) => worker.identity === identity)
    .map(({ isRunning, heardMs, intervalMs }) => (isRunning ? heardMs + intervalMs : heardMs));
  // A later process can have the same identity, for example in a container.
  return ends.length > 0 && lastSeenMs <= Math.max(...ends);
}

/** Whether one of the latest uploads has an activity that runs on a queue. */
async function runsOn(client: Client, taskQueue: string): Promise<boolean> {
  const ids: string[] = [];
  const options = { syncs: true, running: true, limit: MAX_DESCRIBED };
  for await (const { workflowId } of listUploads(client, options)) ids.push(workflowId);
  const runs = async (workflowId: string) =>
    queuesOfRunning(await pendingActivities(client, workflowId)).includes(taskQueue);
  return (await pMap(ids, runs, { concurrency: CONCURRENCY })).includes(true);
}

/**
 * Whether a worker polls the queue. A worker that was killed counts for some seconds, or up to 90 s if the server does not
 * accept the heartbeats of workers.
 *
 * @throws ServiceError of Temporal's client
 */
export async function hasWorkers(client: Client, taskQueue: string, type: 'workflow' | 'activity'): Promise<boolean> {
  // A caller that was rejected can start a worker and retry immediately.
  return (await QueueWorkers.of(client).look(taskQueue, type, true)).presence !== 'unpolled';
}
