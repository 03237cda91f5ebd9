import pMap from 'p-map';
import type { JobHandle } from '../../../client/job-handle.ts';
import type { LonghaulClient } from '../../../client/longhaul-client.ts';
import type { JobKind } from '../../../contracts/upload.ts';
import { isSync, withoutPieces, type WorkflowSummary } from '../../../client/lists/list-uploads.ts';
import { describeSilence, LASTING_SILENCE_MS } from '../../../client/queues/describe-silence.ts';
import { getOrAdd } from '../../../core/objects.ts';
import { RateMeter } from '../../../core/pace/rate-meter.ts';
import {
  rowOfProgress,
  rowOfSummary,
  type ProgressEvent,
  type TopRow,
  sortRows,
  type RunningStates,
  type TopSort,
} from './view.ts';
import { callSignal } from '../../../temporal/call-signal.ts';
import { PAUSED_STATUS } from '../../../temporal/workflow-status.ts';

export interface TopTable {
  /** At most the requested number of rows. */
  readonly rows: readonly TopRow[];
  readonly states: RunningStates;
  /** Whether more uploads and syncs are running than were listed. */
  readonly isMore: boolean;
}

interface Silence {
  readonly sinceMs: number;
  checkedMs?: number;
  reason?: Promise<string | undefined>;
}

const MAX_LISTED = 1000;
const LIST_TIMEOUT_MS = 5000;
const QUERY_CONCURRENCY = 16;
/** Time for which a queue without a response is not queried again. */
const SILENCE_MS = 5000;

/** Lists all running uploads and syncs, and queries the workers for those that are shown. */
export class TopBoard {
  readonly #client: LonghaulClient;
  readonly #queryTimeoutMs: number;
  readonly #lastingMs: number;
  readonly #meters = new Map<string, RateMeter>();
  /** States that workers returned, for clusters without search attributes. */
  readonly #states = new Map<string, string>();
  readonly #silentUntilMs = new Map<string, number>();
  /** Start of the silence of each queue without a response, and its reason with the time of its last check. */
  readonly #silences = new Map<string, Silence>();
  /** Kept, because a handle needs several queries to detect a queue without workers. */
  readonly #handles = new Map<string, JobHandle>();

  /**
   * @param queryTimeoutMs maximum time for the response of a worker
   * @param lastingMs time without a response after which rows show the reason
   */
  constructor(client: LonghaulClient, queryTimeoutMs: number, lastingMs = LASTING_SILENCE_MS) {
    this.#client = client;
    this.#queryTimeoutMs = queryTimeoutMs;
    this.#lastingMs = lastingMs;
  }

  /**
   * Reads the current state.
   *
   * @param count maximum number of rows
   * @throws TemporalUnreachableError
   */
  async read(count: number, sort: TopSort, signal: AbortSignal): Promise<TopTable> {
    const { running, isMore } = await this.#list(signal);
    this.#forgetOthers(running);
    const known = running.map((one) => ({ ...one, state: one.state ?? this.#states.get(one.workflowId) }));
    const shown = sortRows(known, sort).slice(0, count);
    const rows = await pMap(shown, (one) => this.#row(one, signal), { concurrency: QUERY_CONCURRENCY });
    const current = new Map(rows.map(({ workflowId, state }) => [workflowId, state]));
    const statesOf = (some: readonly WorkflowSummary[]) =>
      some.map(({ workflowId, state }) => current.get(workflowId) ?? state);
    return {
      rows: sortRows(rows, sort),
      states: { uploads: statesOf(known.filter((one) => !isSync(one))), syncs: statesOf(known.filter(isSync)) },
      isMore,
    };
  }

  async #list(signal: AbortSignal): Promise<{ running: readonly WorkflowSummary[]; isMore: boolean }> {
    const running: WorkflowSummary[] = [];
    const options = { syncs: true, running: true, limit: MAX_LISTED + 1 };
    await this.#client.temporal.withAbortSignal(callSignal(signal, AbortSignal.timeout(LIST_TIMEOUT_MS)), async () => {
      for await (const one of this.#client.list(options)) running.push(one);
    });
    return { running: withoutPieces(running.slice(0, MAX_LISTED)), isMore: running.length > MAX_LISTED };
  }

  async #row(job: WorkflowSummary, signal: AbortSignal): Promise<TopRow> {
    const event = await this.#query(job, signal);
    if (!event) return rowOfSummary(job, await this.#silenceOf(job));
    const nowMs = Date.now();
    this.#states.set(job.workflowId, event.progress.state);
    const meter = getOrAdd(this.#meters, job.workflowId, () => new RateMeter());
    meter.add(event.bytesSent, nowMs);
    return rowOfProgress(job, event, meter.bytesPerSecond, nowMs);
  }

  /** Undefined if no worker responds in time. */
  async #query(
    { workflowId, taskQueue, status }: WorkflowSummary,
    signal: AbortSignal,
  ): Promise<ProgressEvent | undefined> {
    if (status === PAUSED_STATUS) return undefined;
    getOrAdd(this.#silences, taskQueue, () => ({ sinceMs: performance.now() }));
    if ((this.#silentUntilMs.get(taskQueue) ?? 0) > performance.now()) return undefined;
    const handle = getOrAdd(this.#handles, workflowId, (id) => this.#client.getHandle<JobKind>(id));
    const events = handle.progress({ signal: callSignal(signal, AbortSignal.timeout(this.#queryTimeoutMs)) });
    try {
      const { value } = await events.next();
      if (value?.type === 'progress') {
        this.#silences.delete(taskQueue);
        return value;
      }
      // Without an event, the query ended at its timeout.
      if (value?.type !== 'ended') this.#silentUntilMs.set(taskQueue, performance.now() + SILENCE_MS);
      return undefined;
    } catch {
      // It closed and was deleted in the meantime.
      return undefined;
    } finally {
      await events.return(undefined);
    }
  }

  /** Undefined if the queue is not silent for long. Checks the workers of a silent queue once for all its rows. */
  async #silenceOf({ workflowId, taskQueue }: WorkflowSummary): Promise<string | undefined> {
    const silence = this.#silences.get(taskQueue);
    if (!silence || performance.now() - silence.sinceMs < this.#lastingMs) return undefined;
    const { temporal } = this.#client;
    if (performance.now() - (silence.checkedMs ?? -Infinity) > SILENCE_MS) {
      silence.checkedMs = performance.now();
      const reason = () => describeSilence(temporal, { workflowId, taskQueue });
      silence.reason = temporal.withDeadline(Date.now() + SILENCE_MS, reason).catch(() => undefined);
    }
    return silence.reason;
  }

  #forgetOthers(listed: readonly WorkflowSummary[]): void {
    const running = new Set(listed.map(({ workflowId }) => workflowId));
    for (const known of [this.#meters, this.#states, this.#handles])
      for (const workflowId of known.keys()) if (!running.has(workflowId)) known.delete(workflowId);
  }
}
