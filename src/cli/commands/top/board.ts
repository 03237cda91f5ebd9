import { setMaxListeners } from 'node:events';
import pMap from 'p-map';
import type { JobHandle } from '../../../client/job-handle.ts';
import type { LonghaulClient } from '../../../client/longhaul-client.ts';
import type { JobKind } from '../../../contracts/upload.ts';
import { isSync, withoutPieces, type WorkflowSummary } from '../../../client/lists/workflow-summary.ts';
import { RateMeter } from '../../../core/pace/rate-meter.ts';
import { rowOfProgress, rowOfSummary, type ProgressEvent, type TopRow } from './row.ts';
import { sortRows, type RunningStates, type TopSort } from './view.ts';

export interface TopPicture {
  /** As many as were asked for. */
  readonly rows: readonly TopRow[];
  /** Of all that run. */
  readonly states: RunningStates;
  /** Not all that run were looked at. */
  readonly isMore: boolean;
}

const MOST_LISTED = 1000;
const LIST_TIMEOUT_MS = 5000;
const ASKED_AT_A_TIME = 16;
/** Those of a queue where nobody answered are not asked again for so long. */
const SILENCE_MS = 5000;

/** What runs now, with rates: asks Temporal's list for all uploads and syncs, and the workers only for those that are shown. */
export class TopBoard {
  readonly #client: LonghaulClient;
  readonly #askTimeoutMs: number;
  readonly #meters = new Map<string, RateMeter>();
  /** The states that workers told, for clusters without search attributes. */
  readonly #states = new Map<string, string>();
  readonly #silentUntilMs = new Map<string, number>();
  /** Kept, because a handle reports a queue without workers after some looks. */
  readonly #handles = new Map<string, JobHandle>();

  /** @param askTimeoutMs how long a worker may take to answer */
  constructor(client: LonghaulClient, askTimeoutMs: number) {
    this.#client = client;
    this.#askTimeoutMs = askTimeoutMs;
  }

  /**
   * @param count rows that are wanted
   * @throws TemporalUnreachableError
   */
  async look(count: number, sort: TopSort, signal: AbortSignal): Promise<TopPicture> {
    const { running, isMore } = await this.#list(signal);
    this.#forgetOthers(running);
    const known = running.map((one) => ({ ...one, state: one.state ?? this.#states.get(one.workflowId) }));
    const shown = sortRows(known, sort).slice(0, count);
    const rows = await pMap(shown, (one) => this.#row(one, signal), { concurrency: ASKED_AT_A_TIME });
    const told = new Map(rows.map(({ workflowId, state }) => [workflowId, state]));
    const statesOf = (some: readonly WorkflowSummary[]) =>
      some.map(({ workflowId, state }) => told.get(workflowId) ?? state);
    return {
      rows: sortRows(rows, sort),
      states: { uploads: statesOf(known.filter((one) => !isSync(one))), syncs: statesOf(known.filter(isSync)) },
      isMore,
    };
  }

  async #list(signal: AbortSignal): Promise<{ running: readonly WorkflowSummary[]; isMore: boolean }> {
    const running: WorkflowSummary[] = [];
    const wanted = { syncs: true, running: true, limit: MOST_LISTED + 1 };
    await this.#client.temporal.withAbortSignal(limited(signal, LIST_TIMEOUT_MS), async () => {
      for await (const one of this.#client.list(wanted)) running.push(one);
    });
    return { running: withoutPieces(running.slice(0, MOST_LISTED)), isMore: running.length > MOST_LISTED };
  }

  async #row(job: WorkflowSummary, signal: AbortSignal): Promise<TopRow> {
    const event = await this.#ask(job, signal);
    if (!event) return rowOfSummary(job);
    const nowMs = Date.now();
    this.#states.set(job.workflowId, event.progress.state);
    const meter = getOrAdd(this.#meters, job.workflowId, () => new RateMeter());
    meter.add(event.bytesSent, nowMs);
    return rowOfProgress(job, event, meter.bytesPerSecond, nowMs);
  }

  /** Undefined if no worker responds in time. */
  async #ask({ workflowId, taskQueue }: WorkflowSummary, signal: AbortSignal): Promise<ProgressEvent | undefined> {
    if ((this.#silentUntilMs.get(taskQueue) ?? 0) > Date.now()) return undefined;
    const handle = getOrAdd(this.#handles, workflowId, (id) => this.#client.getHandle<JobKind>(id));
    const looks = handle.progress({ signal: limited(signal, this.#askTimeoutMs) });
    try {
      const { value } = await looks.next();
      if (value?.type === 'progress') return value;
      if (value?.type === 'no-answer') this.#silentUntilMs.set(taskQueue, Date.now() + SILENCE_MS);
      return undefined;
    } catch {
      // It ended and was removed in between.
      return undefined;
    } finally {
      await looks.return(undefined);
    }
  }

  #forgetOthers(listed: readonly WorkflowSummary[]): void {
    const running = new Set(listed.map(({ workflowId }) => workflowId));
    for (const known of [this.#meters, this.#states, this.#handles])
      for (const workflowId of known.keys()) if (!running.has(workflowId)) known.delete(workflowId);
  }
}

function getOrAdd<V>(map: Map<string, V>, key: string, make: (key: string) => V): V {
  const found = map.get(key) ?? make(key);
  map.set(key, found);
  return found;
}

/** Of its own: each request leaves a listener on the signal that it is given. */
function limited(signal: AbortSignal, timeoutMs: number): AbortSignal {
  const own = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  setMaxListeners(0, own);
  return own;
}
