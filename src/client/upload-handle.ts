import { setTimeout } from 'node:timers/promises';
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { QueryName, UpdateName, type PauseInput, type RetuneInput } from '../contracts/names.ts';
import type { SplitUploadProgress, SplitUploadResult } from '../contracts/split.ts';
import type { UploadProgress, UploadResult } from '../contracts/upload.ts';
import { filenameOfSource } from '../core/source/names.ts';
import { followPiece } from './follow/follow-piece.ts';
import { FollowedWorkflow, type WorkflowDescription } from './follow/followed-workflow.ts';
import { partsUnderWay } from './follow/pending.ts';
import { readUploadProgress, readUploadResult, type ReadAnswer } from './follow/read-answers.ts';
import { progressOfEnd, readEnd } from './follow/read-end.ts';
import { startedRequest } from './prepare/started-request.ts';
import { fromTemporal } from './temporal-faults.ts';
import { findUnpolledQueue, UnpolledQueueWatch, type UnpolledQueue } from './queues/unpolled-queue.ts';
import { NoWorkerError } from './errors.ts';
import type { UploadEvent } from './follow/events.ts';
import { toWorkflowSummary } from './lists/workflow-summary.ts';

export interface ProgressOptions {
  /** @defaultValue 500 */
  readonly intervalMs?: number;
  readonly signal?: AbortSignal;
}

/** What `UploadHandle.status()` returns. */
export type UploadStatus = (UploadProgress | SplitUploadProgress) & {
  /** The queue of the source's host, if parts wait for it and no worker polls it. */
  readonly unpolled?: UnpolledQueue;
};

const DESCRIBE_TIMEOUT_MS = 5000;

/** A pause waits for the parts in flight, which may be slow. */
export const PAUSE_TIMEOUT_MS = 30 * 60_000;

/**
 * One upload, from the outside: of a file, or with `SplitUploadResult` of a split one, whose `progress` tells of its
 * pieces too. It may run anywhere, and this process may go away: the upload doesn't notice.
 */
export class UploadHandle<Result = UploadResult> {
  readonly workflowId: string;
  /** Whether `upload` found this upload rather than starting it; undefined for a handle made from an id. */
  readonly resumed: boolean | undefined;
  readonly #workflow: FollowedWorkflow;
  readonly #queues: UnpolledQueueWatch;

  constructor(client: Client, workflowId: string, resumed?: boolean) {
    this.workflowId = workflowId;
    this.resumed = resumed;
    this.#workflow = new FollowedWorkflow(client, workflowId, fromTemporal);
    this.#queues = new UnpolledQueueWatch(client);
  }

  /**
   * Waits for the end, however long it takes, also across restarts of the Temporal server.
   *
   * @throws UploadFailedError when it ended without a File
   * @throws UploadCancelledError when somebody cancelled or terminated it
   * @throws UploadNotFoundError
   * @throws the reason of `signal` when that aborts; the upload goes on
   */
  result(options: { readonly signal?: AbortSignal } = {}): Promise<Result> {
    return this.#workflow.result(options.signal, readUploadResult as ReadAnswer<Result>);
  }

  /**
   * Events about once an interval until the upload has ended, whichever way (`result` tells which) or `signal` aborts. If
   * no worker polls the queue of its parts, each `progress` has `unpolled`, and the first is followed by a `no-answer`.
   * Bytes inside unfinished parts come from heartbeats, so they run a little behind.
   *
   * @throws UploadNotFoundError
   */
  async *progress(options: ProgressOptions = {}): AsyncGenerator<UploadEvent, void, undefined> {
    const { intervalMs = 500, signal } = options;
    let mostSent = { uploadId: '', bytes: 0 };
    let reported: string | undefined;
    while (!signal?.aborted) {
      const event = await this.#workflow.until(signal, () => this.#look());
      if (event.type === 'progress') {
        const uploadId = event.progress.session?.uploadId ?? '';
        // A part's heartbeats vanish a moment before its record is seen; a bar must not jump back for that.
        const bytes = mostSent.uploadId === uploadId ? Math.max(mostSent.bytes, event.bytesSent) : event.bytesSent;
        mostSent = { uploadId, bytes };
        yield { ...event, bytesSent: bytes };
        const { unpolled } = event;
        if (unpolled && unpolled.reason !== reported) yield { type: 'no-answer', reason: unpolled.reason, unpolled };
        reported = unpolled?.reason;
      } else yield event;
      if (event.type === 'ended') return;
      await setTimeout(intervalMs, undefined, signal ? { signal } : {}).catch(() => {});
    }
  }

  /**
   * The answer of the workflow's own query. Its byte counts include only recorded parts; `progress` adds those in flight.
   * If the worker for its parts was silent only for seconds, this takes up to 6 s more, in which the worker can be heard.
   * Of an upload that has closed, it is made of the result in Temporal's history, without a worker: `concurrency` is 0,
   * and `limit` and `session` are null.
   *
   * @throws NoWorkerError when no worker answers within 5 s
   * @throws UploadNotFoundError
   */
  async status(): Promise<UploadStatus> {
    const { client } = this.#workflow;
    const description = await this.#description();
    if (description.status.name !== 'RUNNING') return this.#statusOfEnd(description);
    try {
      return await this.#workflow.ask(async () => {
        const { progress, pending } = await followPiece(client, await this.#query());
        const { raw, taskQueue } = await this.#description();
        const waiting = pending ?? raw.pendingActivities ?? [];
        const unpolled = await findUnpolledQueue(client, taskQueue, waiting);
        return { ...progress, unpolled };
      });
    } catch (error) {
      if (!(error instanceof NoWorkerError)) throw error;
      const now = await this.#description();
      if (now.status.name === 'RUNNING') throw error;
      return this.#statusOfEnd(now);
    }
  }

  async #description(): Promise<WorkflowExecutionDescription> {
    const { client, handle } = this.#workflow;
    try {
      return await client.withDeadline(Date.now() + DESCRIBE_TIMEOUT_MS, () => handle.describe());
    } catch (error) {
      throw fromTemporal(error, this.workflowId);
    }
  }

  async #statusOfEnd(description: WorkflowExecutionDescription): Promise<UploadStatus> {
    const ended = await readEnd(this as UploadHandle<UploadResult | SplitUploadResult>, description.status.name);
    if (ended.result && 'file' in ended.result) return progressOfEnd(description, ended, ended.result.file.filename);
    const { filename } = toWorkflowSummary(description);
    return progressOfEnd(description, ended, filename ?? (await this.#filenameOfRequest()));
  }

  async #filenameOfRequest(): Promise<string> {
    const request = await startedRequest(this.#workflow.client, this.workflowId);
    return request?.filename ?? (request?.source ? filenameOfSource(request.source) : '');
  }

  /** Holds further parts back; answers when none is in flight. @throws SteeringRefusedError, NoWorkerError */
  pause(input: PauseInput = {}): Promise<UploadProgress> {
    return this.#workflow.update(UpdateName.pause, input, readUploadProgress, PAUSE_TIMEOUT_MS);
  }

  /** @throws SteeringRefusedError, NoWorkerError */
  resume(): Promise<UploadProgress> {
    return this.#workflow.update(UpdateName.resume, {}, readUploadProgress);
  }

  /** Goes on at once with what the upload waits for. @throws SteeringRefusedError, NoWorkerError */
  retry(): Promise<UploadProgress> {
    return this.#workflow.update(UpdateName.retry, {}, readUploadProgress);
  }

  /** Changes the number of parts in flight, or the size of the next session's parts, while the upload runs. @throws SteeringRefusedError, NoWorkerError */
  retune(input: RetuneInput): Promise<UploadProgress> {
    return this.#workflow.update(UpdateName.retune, input, readUploadProgress);
  }

  /** Asks for the end; the workflow cancels its session first. `result` then rejects with UploadCancelledError. */
  cancel(): Promise<void> {
    return this.#workflow.cancel();
  }

  /** Where the upload stands in Temporal, without asking a worker. @throws UploadNotFoundError, TemporalUnreachableError */
  describe(): Promise<WorkflowDescription> {
    return this.#workflow.describe();
  }

  #query(): Promise<UploadProgress | SplitUploadProgress> {
    return this.#workflow.query(QueryName.progress, readUploadProgress);
  }

  #look(): Promise<UploadEvent> {
    return this.#workflow.look(async ({ raw, taskQueue }): Promise<UploadEvent> => {
      const own = partsUnderWay(raw.pendingActivities ?? []);
      const { progress, ...ofPiece } = await followPiece(this.#workflow.client, await this.#query());
      const pending = ofPiece.pending ?? raw.pendingActivities ?? [];
      const unpolled = await this.#queues.check(taskQueue, () => Promise.resolve(pending));
      const bytesUnderWay = own.bytesUnderWay + ofPiece.bytesUnderWay;
      const trouble = ofPiece.trouble ?? own.trouble;
      const bytesSent = Math.min(progress.bytesDone + bytesUnderWay, progress.bytesTotal);
      return {
        type: 'progress',
        progress,
        bytesSent,
        trouble,
        unpolled,
      };
    });
  }
}
