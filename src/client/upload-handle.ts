import { setMaxListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { UpdateName, type PauseInput, type RetuneInput } from '../contracts/names.ts';
import type { SplitUploadProgress } from '../contracts/split.ts';
import type { UploadProgress, UploadResult } from '../contracts/upload.ts';
import { hasWorkers } from './has-workers.ts';
import { NoWorkerError, SteeringRefusedError } from './upload-errors.ts';
import { followPiece, queryProgress } from './follow-piece.ts';
import { partsUnderWay } from './pending-parts.ts';
import { fromTemporal, isTemporalAway } from './temporal-faults.ts';
import type { UploadEvent } from './upload-events.ts';

export interface ProgressOptions {
  /** @defaultValue 500 */
  readonly intervalMs?: number;
  readonly signal?: AbortSignal;
}

export interface UploadDescription {
  /** Temporal's: RUNNING, COMPLETED, FAILED, CANCELLED, TERMINATED, TIMED_OUT. */
  readonly status: string;
  readonly taskQueue: string;
  /** Digest of what was asked for; undefined for an upload that was started by name from elsewhere. */
  readonly identity: string | undefined;
}

const RECONNECT_PAUSE_MS = 500;
const STEERING_TIMEOUT_MS = 30_000;
/** A pause waits for the parts in flight, which may be slow. */
const PAUSE_TIMEOUT_MS = 30 * 60_000;

/**
 * One upload, from the outside: of a file, or with `SplitUploadResult` of a split one, whose `progress` tells of its
 * pieces too. It may run anywhere, and this process may go away: the upload doesn't notice.
 */
export class UploadHandle<Result = UploadResult> {
  readonly workflowId: string;
  /** Whether `upload` found this upload rather than starting it; undefined for a handle made from an id. */
  readonly resumed: boolean | undefined;
  readonly #client: Client;
  readonly #workflow: WorkflowHandle;

  constructor(client: Client, workflowId: string, resumed?: boolean) {
    this.workflowId = workflowId;
    this.resumed = resumed;
    this.#client = client;
    this.#workflow = client.workflow.getHandle(workflowId);
  }

  /**
   * Waits for the end, however long it takes, also across restarts of the Temporal server.
   *
   * @throws UploadFailedError when it ended without a File
   * @throws UploadCancelledError when somebody cancelled or terminated it
   * @throws UploadNotFoundError
   * @throws the reason of `signal` when that aborts; the upload goes on
   */
  async result(options: { readonly signal?: AbortSignal } = {}): Promise<Result> {
    for (;;) {
      options.signal?.throwIfAborted();
      try {
        return await this.#until(options.signal, () => this.#workflow.result() as Promise<Result>);
      } catch (error) {
        if (!isTemporalAway(error)) throw fromTemporal(error, this.workflowId);
        await setTimeout(RECONNECT_PAUSE_MS);
      }
    }
  }

  /**
   * Events about once an interval until the upload has ended, whichever way (`result` tells which) or `signal` aborts.
   * Bytes inside unfinished parts come from heartbeats, so they run a little behind.
   *
   * @throws UploadNotFoundError
   */
  async *progress(options: ProgressOptions = {}): AsyncGenerator<UploadEvent, void, undefined> {
    const { intervalMs = 500, signal } = options;
    let mostSent = { uploadId: '', bytes: 0 };
    while (!signal?.aborted) {
      const event = await this.#until(signal, () => this.#look());
      if (event.type === 'progress') {
        const uploadId = event.progress.session?.uploadId ?? '';
        // A part's heartbeats vanish a moment before its record is seen; a bar must not jump back for that.
        const bytes = mostSent.uploadId === uploadId ? Math.max(mostSent.bytes, event.bytesSent) : event.bytesSent;
        mostSent = { uploadId, bytes };
        yield { ...event, bytesSent: bytes };
      } else yield event;
      if (event.type === 'ended') return;
      await setTimeout(intervalMs, undefined, signal ? { signal } : {}).catch(() => {});
    }
  }

  /**
   * The answer of the workflow's own query.
   *
   * @throws NoWorkerError when no worker answers within 5 s
   * @throws UploadNotFoundError
   */
  async status(): Promise<UploadProgress | SplitUploadProgress> {
    try {
      const progress = await this.#query();
      return (await followPiece(this.#client, progress)).progress;
    } catch (error) {
      if (isTemporalAway(error)) {
        const message = `no worker answered for ${this.workflowId}; start one with "longhaul worker"`;
        throw new NoWorkerError(message, { cause: error });
      }
      throw fromTemporal(error, this.workflowId);
    }
  }

  /** Holds further parts back; answers when none is in flight. @throws SteeringRefusedError, NoWorkerError */
  pause(input: PauseInput = {}): Promise<UploadProgress> {
    return this.#update(UpdateName.pause, input, PAUSE_TIMEOUT_MS);
  }

  /** @throws SteeringRefusedError, NoWorkerError */
  resume(): Promise<UploadProgress> {
    return this.#update(UpdateName.resume, {});
  }

  /** Goes on at once with what the upload waits for. @throws SteeringRefusedError, NoWorkerError */
  retry(): Promise<UploadProgress> {
    return this.#update(UpdateName.retry, {});
  }

  /** Changes the number of parts in flight, or the size of the next session's parts, while the upload runs. @throws SteeringRefusedError, NoWorkerError */
  retune(input: RetuneInput): Promise<UploadProgress> {
    return this.#update(UpdateName.retune, input);
  }

  /** Asks for the end; the workflow cancels its session first. `result` then rejects with UploadCancelledError. */
  async cancel(): Promise<void> {
    try {
      await this.#workflow.cancel();
    } catch (error) {
      throw fromTemporal(error, this.workflowId);
    }
  }

  /** Where the upload stands in Temporal, without asking a worker. @throws UploadNotFoundError, TemporalUnreachableError */
  async describe(): Promise<UploadDescription> {
    try {
      const { status, taskQueue, memo } = await this.#workflow.describe();
      return { status: status.name, taskQueue, identity: memo?.['longhaulIdentity'] as string | undefined };
    } catch (error) {
      throw fromTemporal(error, this.workflowId);
    }
  }

  /** Calls are ended, not left: one that goes on after its connection was closed would bring the process down. */
  async #until<T>(signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
    if (!signal) return call();
    // Of its own: each request leaves a listener on the signal that it is given.
    const own = new AbortController();
    setMaxListeners(0, own.signal);
    const abort = () => own.abort(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    try {
      return await this.#client.withAbortSignal(own.signal, call);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  #query(): Promise<UploadProgress | SplitUploadProgress> {
    return queryProgress(this.#client, this.#workflow);
  }

  async #update(name: string, input: object, timeoutMs = STEERING_TIMEOUT_MS): Promise<UploadProgress> {
    await this.#assertWorker();
    try {
      return await this.#client.withDeadline(Date.now() + timeoutMs, () =>
        this.#workflow.executeUpdate<UploadProgress, [object]>(name, { args: [input] }),
      );
    } catch (error) {
      throw fromTemporal(error, this.workflowId);
    }
  }

  /** An update waits for a worker for ever; a person should rather be told that none is there. */
  async #assertWorker(): Promise<void> {
    const { status, taskQueue } = await this.describe();
    if (status !== 'RUNNING') throw new SteeringRefusedError(`${this.workflowId} has ended: ${status}`);
    if (await hasWorkers(this.#client, taskQueue, 'workflow')) return;
    throw new NoWorkerError(`no worker serves the task queue ${taskQueue}; start one with "longhaul worker"`);
  }

  async #look(): Promise<UploadEvent> {
    try {
      const description = await this.#workflow.describe();
      if (description.status.name !== 'RUNNING') return { type: 'ended', status: description.status.name };
      const own = partsUnderWay(description.raw.pendingActivities ?? []);
      const { progress, ...ofPiece } = await followPiece(this.#client, await this.#query());
      const bytesUnderWay = own.bytesUnderWay + ofPiece.bytesUnderWay;
      const trouble = ofPiece.trouble ?? own.trouble;
      const bytesSent = Math.min(progress.bytesDone + bytesUnderWay, progress.bytesTotal);
      return { type: 'progress', progress, bytesSent, ...(trouble ? { trouble } : {}) };
    } catch (error) {
      if (!isTemporalAway(error)) throw fromTemporal(error, this.workflowId);
      return { type: 'no-answer', reason: (error as Error).message };
    }
  }
}
