import { setTimeout } from 'node:timers/promises';
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { QueryName, UpdateName, type PauseInput, type RetuneInput } from '../contracts/names.ts';
import type { Receipt } from '../contracts/requests/receipt.ts';
import type { JobKind } from '../contracts/upload.ts';
import { ConfigError } from '../errors.ts';
import { NoWorkerError } from './errors.ts';
import { FollowedWorkflow, type WorkflowDescription } from './follow/followed-workflow.ts';
import { decodedPending, pausedActivityOf } from './follow/pending.ts';
import { LiveBytes, lookAtUpload } from './follow/live-bytes.ts';
import { readProgress, readResult, type ReadAnswer } from './follow/read-answers.ts';
import { progressOfEnd, readEnd } from './follow/read-end.ts';
import type { JobEvent, JobProgress, JobResult, JobStatus } from './jobs.ts';
import { receiptOf } from './receipt.ts';
import { assertFollowOptions, assertWorkflowId } from './prepare/option-problems.ts';
import { startedName } from './prepare/started-request.ts';
import { findUnpolledQueue, UnpolledQueueWatch } from './queues/unpolled-queue.ts';
import { onWorkflow } from './temporal-faults.ts';
import { isOpen, PAUSED_STATUS, pausedText } from '../temporal/workflow-status.ts';

/** Options of `JobHandle.progress()`. */
export interface ProgressOptions {
  /** Milliseconds between two queries. @defaultValue 500 */
  readonly intervalMs?: number;
  /** Ends the events when it is aborted. The job continues. @defaultValue the events end with the job */
  readonly signal?: AbortSignal;
}

/** A pause waits for the parts in flight, which can be slow. */
const PAUSE_TIMEOUT_MS = 30 * 60_000;
/** Uploads of a sync that each event queries. */
const LOOKS_PER_EVENT = 8;
/** Short: the event of a sync must not wait long for an upload that does not respond. */
const LOOK_TIMEOUT_MS = 2000;
const ONCE_TIMEOUT_MS = 5000;

/**
 * Handle to a job: an upload, a split upload or a sync. The job runs on workers and continues after this process exits.
 * Types of progress and result depend on the kind.
 */
export class JobHandle<Kind extends JobKind = JobKind> {
  /** ID of the job in Temporal. */
  readonly workflowId: string;
  /** Whether the job already existed and was not started; undefined for a handle that was created from an ID. */
  readonly resumed: boolean | undefined;
  readonly #workflow: FollowedWorkflow;
  readonly #queues: UnpolledQueueWatch;
  /** Kept between calls of `progress`, so that the bytes of a job do not appear to decrease. */
  readonly #live: LiveBytes;

  /** @throws ConfigError if no workflow can have the ID */
  constructor(temporal: Client, workflowId: string, resumed?: boolean) {
    assertWorkflowId('workflowId', workflowId);
    this.workflowId = workflowId;
    this.resumed = resumed;
    this.#workflow = new FollowedWorkflow(temporal, workflowId, resumed !== undefined);
    this.#queues = new UnpolledQueueWatch(temporal);
    this.#live = this.#liveBytes(LOOKS_PER_EVENT, LOOK_TIMEOUT_MS);
  }

  /**
   * Waits for the result without a time limit, also across restarts of the Temporal server. A sync also completes if some
   * files failed: see `problems` of its result.
   *
   * @throws JobFailedError if an upload closed without a File, or a sync failed as a whole
   * @throws JobCancelledError if a client cancelled or terminated the job
   * @throws JobNotFoundError
   * @throws StrangeWorkflowError if the ID belongs to a workflow of another program
   * @throws the reason of `signal` if it aborts; the job continues
   */
  async result(options: { readonly signal?: AbortSignal } = {}): Promise<JobResult<Kind>> {
    assertFollowOptions(options, 'result', ['signal']);
    return this.#workflow.result(options.signal ?? undefined, readResult as ReadAnswer<JobResult<Kind>>);
  }

  /**
   * Waits for the result, and returns the receipt of the upload, with which `longhaul verify` checks the source and the File.
   * A receipt contains no secret.
   *
   * @throws as `result`
   * @throws ConfigError for a sync, and for an upload without a receipt, which an earlier build completed
   */
  async receipt(options: { readonly signal?: AbortSignal } = {}): Promise<Receipt> {
    assertFollowOptions(options, 'receipt', ['signal']);
    const result: JobResult = await this.result(options);
    if ('counts' in result) throw new ConfigError(`${this.workflowId} is a sync, which has no receipt.`);
    const { client } = this.#workflow;
    return receiptOf(result, (workflowId) => new JobHandle<'upload'>(client, workflowId).result(options));
  }

  /**
   * Yields an event about once per interval until the job closes (for the outcome, see `result`) or `signal` aborts. If no
   * worker polls the queue of its source, each `progress` has `unpolled`, and a `no-answer` follows the first. Bytes of parts
   * in flight are those of heartbeats, which arrive some seconds later. For a sync, each event queries at most eight of the
   * running uploads, in turn.
   *
   * @throws JobNotFoundError
   */
  async *progress(options: ProgressOptions = {}): AsyncGenerator<JobEvent<Kind>, void, undefined> {
    assertFollowOptions(options, 'progress', ['intervalMs', 'signal']);
    // Programs without types can pass null.
    const intervalMs = options.intervalMs ?? 500;
    const signal = options.signal ?? undefined;
    this.#workflow.forgetSilence();
    let reported: string | undefined;
    while (!signal?.aborted) {
      const event = await this.#workflow.until(signal, () => this.#readEvent());
      // The abort also fails the calls of this event.
      if (signal?.aborted) return;
      yield event;
      if (event.type === 'ended') return;
      if (event.type === 'progress') {
        const { unpolled } = event;
        if (unpolled && unpolled.reason !== reported) yield { type: 'no-answer', reason: unpolled.reason, unpolled };
        reported = unpolled?.reason;
      }
      await setTimeout(intervalMs, undefined, { signal }).catch(() => {});
    }
  }

  /**
   * Returns the response of the workflow's query, and the bytes of all parts in flight. If a worker for the source has not
   * responded for some seconds, this waits up to 6 s for its next heartbeat. For a closed job, the progress is that of the
   * result in Temporal's history, without a worker: `concurrency` is 0, and `limit` and `session` are null. A closed sync
   * without a result still requires a worker.
   *
   * @throws NoWorkerError if no worker responds within 5 s, or if it is paused in Temporal
   * @throws JobNotFoundError
   */
  async status(): Promise<JobStatus<Kind>> {
    const description = await this.#description();
    if (!isOpen(description.status.name)) return this.#statusOfEnd(description);
    if (description.status.name === PAUSED_STATUS) throw new NoWorkerError(pausedText(this.workflowId));
    try {
      return await this.#workflow.ask(async () => {
        const { progress, bytesSent, pausedActivity, pending } = await this.#measured(
          this.#liveBytes(Infinity, ONCE_TIMEOUT_MS),
          description,
        );
        const unpolled = await findUnpolledQueue(this.#workflow.client, description.taskQueue, pending);
        return { ...progress, bytesSent, unpolled, pausedActivity };
      });
    } catch (error) {
      if (!(error instanceof NoWorkerError)) throw error;
      const now = await this.#description();
      if (!isOpen(now.status.name)) return this.#statusOfEnd(now);
      throw await this.#workflow.explained(error);
    }
  }

  /** Pauses the job and its uploads. Returns when no part is in flight. @throws SteeringRefusedError, NoWorkerError */
  pause(input: PauseInput = {}): Promise<JobProgress<Kind>> {
    return this.#update(UpdateName.pause, input, PAUSE_TIMEOUT_MS);
  }

  /** Resumes the job and its uploads. @throws SteeringRefusedError, NoWorkerError */
  resume(): Promise<JobProgress<Kind>> {
    return this.#update(UpdateName.resume);
  }

  /** Retries a waiting job and its waiting uploads now. @throws SteeringRefusedError, NoWorkerError */
  retry(): Promise<JobProgress<Kind>> {
    return this.#update(UpdateName.retry);
  }

  /** Changes a running upload, for example its maximum parts in flight. A sync rejects it. @throws SteeringRefusedError, NoWorkerError */
  retune(input: RetuneInput): Promise<JobProgress<Kind>> {
    return this.#update(UpdateName.retune, input);
  }

  /** Requests the cancellation. The workflow cancels its sessions first. `result` then rejects with JobCancelledError. */
  cancel(): Promise<void> {
    return this.#workflow.cancel();
  }

  /** Returns the state in Temporal, without a worker. @throws JobNotFoundError, TemporalUnreachableError */
  describe(): Promise<WorkflowDescription> {
    return this.#workflow.describe();
  }

  #update(name: string, input: object = {}, timeoutMs?: number): Promise<JobProgress<Kind>> {
    return this.#workflow.update(name, input, readProgress as ReadAnswer<JobProgress<Kind>>, timeoutMs);
  }

  async #description(): Promise<WorkflowExecutionDescription> {
    const description = await onWorkflow(this.workflowId, () => this.#workflow.describeWithin(ONCE_TIMEOUT_MS));
    this.#workflow.assertJob(description.type);
    return description;
  }

  #query(): Promise<JobProgress> {
    return this.#workflow.query(QueryName.progress, readProgress);
  }

  #liveBytes(maxLooks: number, timeoutMs: number): LiveBytes {
    return new LiveBytes((workflowId) => lookAtUpload(this.#workflow.client, workflowId, timeoutMs), maxLooks);
  }

  async #measured(live: LiveBytes, { raw }: WorkflowExecutionDescription) {
    const pendingActivities = await decodedPending(this.#workflow.client, raw.pendingActivities);
    const { progress, ...more } = await live.measure(await this.#query(), { ...raw, pendingActivities });
    const pausedActivity = pausedActivityOf(this.workflowId, pendingActivities) ?? more.pausedActivity;
    return { progress: progress as JobProgress<Kind>, ...more, pausedActivity };
  }

  #readEvent(): Promise<JobEvent<Kind>> {
    return this.#workflow.readEvent(async (description): Promise<JobEvent<Kind>> => {
      const { pending, ...measured } = await this.#measured(this.#live, description);
      const unpolled = await this.#queues.check(description.taskQueue, pending);
      return { type: 'progress', ...measured, unpolled };
    });
  }

  async #statusOfEnd(description: WorkflowExecutionDescription): Promise<JobStatus<Kind>> {
    const ended = await readEnd(this, description.status.name);
    const { client } = this.#workflow;
    const progress =
      (await progressOfEnd(description, ended, () => startedName(client, this.workflowId))) ??
      (await this.#workflow.ask(() => this.#query()));
    return { ...(progress as JobProgress<Kind>), bytesSent: progress.bytesDone };
  }
}
