import { setMaxListeners } from 'node:events';
import pMap from 'p-map';
import type { LonghaulClient } from '../../client/longhaul-client.ts';
import type { UploadSummary } from '../../client/list-uploads.ts';
import { withoutPieces } from '../../client/workflow-summary.ts';
import { RateMeter } from '../../core/rate-meter.ts';
import { rowOfProgress, rowOfSummary, type ProgressEvent, type TopRow } from './top-row.ts';
import { sortRows, type TopSort } from './top-view.ts';

export interface TopPicture {
  /** As many as were asked for. */
  readonly rows: readonly TopRow[];
  /** Of all that run. */
  readonly states: readonly (string | undefined)[];
  /** Not all that run were looked at. */
  readonly isMore: boolean;
}

const MOST_LISTED = 1000;
const LIST_TIMEOUT_MS = 5000;
const ASKED_AT_A_TIME = 16;
/** Uploads of a queue where nobody answered are not asked again for so long. */
const SILENCE_MS = 5000;

interface Seen {
  readonly meter: RateMeter;
  uploadId: string;
  bytesSent: number;
}

/** What runs now, with rates: asks Temporal's list for all uploads, and the workers only for those that are shown. */
export class TopBoard {
  readonly #client: LonghaulClient;
  readonly #askTimeoutMs: number;
  readonly #seen = new Map<string, Seen>();
  /** The states that workers told, for clusters without search attributes. */
  readonly #states = new Map<string, string>();
  readonly #silentUntilMs = new Map<string, number>();

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
    const { uploads, isMore } = await this.#list(signal);
    this.#forgetOthers(uploads);
    const known = uploads.map((upload) => ({ ...upload, state: upload.state ?? this.#states.get(upload.workflowId) }));
    const shown = sortRows(known, sort).slice(0, count);
    const rows = await pMap(shown, (upload) => this.#row(upload, signal), { concurrency: ASKED_AT_A_TIME });
    const told = new Map(rows.map(({ workflowId, state }) => [workflowId, state]));
    return {
      rows: sortRows(rows, sort),
      states: known.map(({ workflowId, state }) => told.get(workflowId) ?? state),
      isMore,
    };
  }

  async #list(signal: AbortSignal): Promise<{ uploads: readonly UploadSummary[]; isMore: boolean }> {
    const uploads: UploadSummary[] = [];
    await this.#client.client.withAbortSignal(limited(signal, LIST_TIMEOUT_MS), async () => {
      for await (const upload of this.#client.list({ running: true, limit: MOST_LISTED + 1 })) uploads.push(upload);
    });
    return { uploads: withoutPieces(uploads.slice(0, MOST_LISTED)), isMore: uploads.length > MOST_LISTED };
  }

  async #row(upload: UploadSummary, signal: AbortSignal): Promise<TopRow> {
    const event = await this.#ask(upload, signal);
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
  async #ask({ workflowId, taskQueue }: UploadSummary, signal: AbortSignal): Promise<ProgressEvent | undefined> {
    if ((this.#silentUntilMs.get(taskQueue) ?? 0) > Date.now()) return undefined;
    const looks = this.#client.getHandle(workflowId).progress({ signal: limited(signal, this.#askTimeoutMs) });
    try {
      const { value } = await looks.next();
      if (value?.type === 'progress') return value;
      if (value?.type === 'no-answer') this.#silentUntilMs.set(taskQueue, Date.now() + SILENCE_MS);
      return undefined;
    } catch {
      // It ended and was removed in between.
      return undefined;
    } finally {
      await looks.return();
    }
  }

  #forgetOthers(uploads: readonly UploadSummary[]): void {
    const running = new Set(uploads.map(({ workflowId }) => workflowId));
    for (const known of [this.#seen, this.#states])
      for (const workflowId of known.keys()) if (!running.has(workflowId)) known.delete(workflowId);
  }
}

/** Of its own: each request leaves a listener on the signal that it is given. */
function limited(signal: AbortSignal, timeoutMs: number): AbortSignal {
  const own = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  setMaxListeners(0, own);
  return own;
}
