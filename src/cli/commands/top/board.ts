import { setMaxListeners } from 'node:events';
import pMap from 'p-map';
import type { LonghaulClient } from '../../../client/longhaul-client.ts';
import type { SyncHandle } from '../../../client/sync-handle.ts';
import type { UploadHandle } from '../../../client/upload-handle.ts';
import { isSync, withoutPieces, type WorkflowSummary } from '../../../client/lists/workflow-summary.ts';
import { RateMeter } from '../../../core/pace/rate-meter.ts';
import {
  rowOfProgress,
  rowOfSummary,
  rowOfSync,
  type ProgressEvent,
  type SyncProgressEvent,
  type TopRow,
} from './row.ts';
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

interface Seen {
  readonly meter: RateMeter;
  uploadId: string;
  bytesSent: number;
}

/** What runs now, with rates: asks Temporal's list for all uploads and syncs, and the workers only for those that are shown. */
export class TopBoard {
  readonly #client: LonghaulClient;
  readonly #askTimeoutMs: number;
  readonly #seen = new Map<string, Seen>();
  /** The states that workers told, for clusters without search attributes. */
  readonly #states = new Map<string, string>();
  readonly #silentUntilMs = new Map<string, number>();
  /** Kept, because a handle reports a queue without workers after some looks. */
  readonly #uploads = new Map<string, UploadHandle>();
  readonly #syncs = new Map<string, SyncHandle>();

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
    await this.#client.client.withAbortSignal(limited(signal, LIST_TIMEOUT_MS), async () => {
      for await (const one of this.#client.list(wanted)) running.push(one);
    });
    return { running: withoutPieces(running.slice(0, MOST_LISTED)), isMore: running.length > MOST_LISTED };
  }

  async #row(one: WorkflowSummary, signal: AbortSignal): Promise<TopRow> {
    return isSync(one) ? this.#syncRow(one, signal) : this.#uploadRow(one, signal);
  }

  async #syncRow(sync: WorkflowSummary, signal: AbortSignal): Promise<TopRow> {
    const handle = getOrAdd(this.#syncs, sync.workflowId, (id) => this.#client.getSyncHandle(id));
    const event = await this.#ask<SyncProgressEvent>(sync, signal, (limit) => handle.progress({ signal: limit }));
    if (!event) return rowOfSummary(sync);
    this.#states.set(sync.workflowId, event.progress.state);
    return rowOfSync(sync, event);
  }

  async #uploadRow(upload: WorkflowSummary, signal: AbortSignal): Promise<TopRow> {
    const handle = getOrAdd(this.#uploads, upload.workflowId, (id) => this.#client.getHandle(id));
    const event = await this.#ask<ProgressEvent>(upload, signal, (limit) => handle.progress({ signal: limit }));
    if (!event) return rowOfSummary(upload);
    const nowMs = Date.now();
    const { progress } = event;
    const seen = this.#seen.get(upload.workflowId) ?? { meter: new RateMeter(), uploadId: '', bytesSent: 0 };
    this.#seen.set(upload.workflowId, seen);
    this.#states.set(upload.workflowId, progress.state);
    const uploadId = progress.session?.uploadId ?? '';
    // A part's heartbeats vanish a moment before its record is seen; the rate must not start anew for that.
    const bytesSent = seen.uploadId === uploadId ? Math.max(seen.bytesSent, event.bytesSent) : event.bytesSent;
    Object.assign(seen, { uploadId, bytesSent });
    seen.meter.add(bytesSent, nowMs);
    return rowOfProgress(upload, { ...event, bytesSent }, seen.meter.bytesPerSecond, nowMs);
  }

  /** Undefined where no worker answers in time. */
  async #ask<Progress extends { readonly type: 'progress' }>(
    { taskQueue }: WorkflowSummary,
    signal: AbortSignal,
    look: (limit: AbortSignal) => AsyncGenerator<Progress | { readonly type: 'no-answer' | 'ended' }, void>,
  ): Promise<Progress | undefined> {
    if ((this.#silentUntilMs.get(taskQueue) ?? 0) > Date.now()) return undefined;
    const looks = look(limited(signal, this.#askTimeoutMs));
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
    for (const known of [this.#seen, this.#states, this.#uploads, this.#syncs])
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
