import { setMaxListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import { MemoName, UpdateName, WorkflowName } from '../../contracts/names.ts';
import { ConfigError } from '../../errors.ts';
import { describeSilence, LASTING_SILENCE_MS } from '../queues/describe-silence.ts';
import { hasWorkers } from '../queues/queue-workers.ts';
import type { ReadAnswer } from './read-answers.ts';
import { isTemporalAway } from '../../temporal/temporal-fault.ts';
import {
  fromTemporal,
  hasFailedTask,
  onWorkflow,
  isOutdated,
  isUnanswered,
  isWithoutWorker,
  noWorkerAnswered,
  OUTDATED,
} from '../temporal-faults.ts';
import { NoWorkerError, SteeringRefusedError, StrangeWorkflowError } from '../errors.ts';
import { shellWord } from '../../core/text/shell-word.ts';
import { isOpen, PAUSED_STATUS, pausedText } from '../../temporal/workflow-status.ts';

/** The state of a job in Temporal. */
export interface WorkflowDescription {
  /** Status in Temporal: RUNNING, PAUSED, COMPLETED, FAILED, CANCELLED, TERMINATED, TIMED_OUT. */
  readonly status: string;
  readonly workflowType: string;
  readonly taskQueue: string;
  /** Digest of the request; undefined for a workflow that another program or a schedule started. */
  readonly identity: string | undefined;
}

const jobTypes: readonly string[] = [WorkflowName.uploadFile, WorkflowName.uploadSplitFile, WorkflowName.syncSource];

const RECONNECT_PAUSE_MS = 500;
const QUERY_TIMEOUT_MS = 5000;
const STEERING_TIMEOUT_MS = 30_000;
/** Time for the response of a worker that accepts a control. Its effect can take longer. */
const ACCEPT_TIMEOUT_MS = 15_000;
const LEAST_QUERY_TIMEOUT_MS = 1000;

const TEMPORAL_AWAY = 'Temporal does not respond. Check TEMPORAL_ADDRESS and that the Temporal server is running.';

/** Calls to one workflow, with Longhaul's errors and time limits. */
export class FollowedWorkflow {
  readonly workflowId: string;
  readonly client: Client;
  readonly handle: WorkflowHandle;
  /** Start of the first of the last calls without a response; undefined after a response. */
  #silentSinceMs: number | undefined;

  /** Whether the workflow is an upload, a split upload or a sync, and not that of another program. */
  #isJob: boolean;

  constructor(client: Client, workflowId: string, isJob = false) {
    this.workflowId = workflowId;
    this.#isJob = isJob;
    this.client = client;
    this.handle = client.workflow.getHandle(workflowId);
  }

  /** Waits for the end without a time limit, also across restarts of the Temporal server. */
  async result<Result>(signal: AbortSignal | undefined, read: ReadAnswer<Result>): Promise<Result> {
    for (;;) {
      signal?.throwIfAborted();
      try {
        // The workflow of another program can run indefinitely.
        if (!this.#isJob) this.assertJob((await this.until(signal, () => this.handle.describe())).type);
        return read(await this.until(signal, () => this.handle.result() as Promise<unknown>), this.workflowId);
      } catch (error) {
        signal?.throwIfAborted();
        if (!isTemporalAway(error)) throw fromTemporal(error, this.workflowId);
        await setTimeout(RECONNECT_PAUSE_MS, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** @throws NoWorkerError if no worker responds to `ask` in time */
  async ask<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return await ask();
    } catch (error) {
      if (!isWithoutWorker(error)) throw fromTemporal(error, this.workflowId);
      throw noWorkerAnswered(this.workflowId, error);
    }
  }

  /** @throws errors of Temporal's client, also if no worker responds within 5 s */
  async query<Answer>(name: string, read: ReadAnswer<Answer>): Promise<Answer> {
    const deadline = Date.now() + this.#queryTimeoutMs();
    return read(await this.client.withDeadline(deadline, () => this.handle.query<unknown>(name)), this.workflowId);
  }

  /** Ends with the time after which a silence lasts, so that it is reported in time. */
  #queryTimeoutMs(): number {
    const leftMs = LASTING_SILENCE_MS - this.#silentMs();
    return leftMs <= 0 ? QUERY_TIMEOUT_MS : Math.max(Math.min(leftMs, QUERY_TIMEOUT_MS), LEAST_QUERY_TIMEOUT_MS);
  }

  #silentMs(): number {
    return this.#silentSinceMs === undefined ? 0 : performance.now() - this.#silentSinceMs;
  }

  /** @throws errors of Temporal's client */
  describeWithin(timeoutMs: number): Promise<WorkflowExecutionDescription> {
    return this.client.withDeadline(Date.now() + timeoutMs, () => this.handle.describe());
  }

  /** Sends an update. Fails if no worker runs, because Temporal would wait for a worker indefinitely. */
  async update<Answer>(
    name: string,
    input: object,
    read: ReadAnswer<Answer>,
    timeoutMs = STEERING_TIMEOUT_MS,
  ): Promise<Answer> {
    assertJson(name, input);
    const { status, taskQueue, workflowType } = await this.describe();
    this.assertJob(workflowType);
    if (!isOpen(status))
      throw new SteeringRefusedError(`${this.workflowId} is already closed (${status.toLowerCase()})`);
    if (status === PAUSED_STATUS) throw new SteeringRefusedError(pausedText(this.workflowId));
    if (name === UpdateName.retune && workflowType === WorkflowName.syncSource) {
      const message = `cannot retune ${this.workflowId}: it is a sync. Retune its running uploads, which "longhaul list" lists.`;
      throw new SteeringRefusedError(message);
    }
    return onWorkflow(this.workflowId, async () => {
      if (!(await hasWorkers(this.client, taskQueue, 'workflow'))) {
        throw new NoWorkerError(`no worker polls task queue "${taskQueue}". Start "longhaul worker".`);
      }
      const accepted = await this.#accepted(name, input);
      const answer = await this.client
        .withDeadline(Date.now() + timeoutMs, () => accepted.result())
        .catch((error: unknown) => {
          throw error instanceof WorkflowUpdateRPCTimeoutOrCancelledError ? this.#notYet(name, error) : error;
        });
      return read(answer, this.workflowId);
    });
  }

  async #accepted(name: string, input: object) {
    try {
      return await this.client.withDeadline(Date.now() + ACCEPT_TIMEOUT_MS, () =>
        this.handle.startUpdate<unknown, [object]>(name, { args: [input], waitForStage: 'ACCEPTED' }),
      );
    } catch (error) {
      const known = fromTemporal(error, this.workflowId);
      throw known instanceof NoWorkerError ? await this.explained(known) : error;
    }
  }

  #notYet(name: string, cause: Error): NoWorkerError {
    const fix = `Run "longhaul status ${shellWord(this.workflowId)}"`;
    return new NoWorkerError(
      `a worker accepted the ${name} of ${this.workflowId}, but it is not in effect yet. ${fix}.`,
      {
        cause,
      },
    );
  }

  /** Returns the error with the workers that do not respond, and the fix. If Temporal does not respond, returns its error. */
  async explained(error: NoWorkerError): Promise<unknown> {
    try {
      return new NoWorkerError(await this.#explain(error.cause ?? error), { cause: error.cause });
    } catch (thrown) {
      return isTemporalAway(thrown) ? fromTemporal(thrown, this.workflowId) : error;
    }
  }

  /** Never cancels the workflow of another program. */
  async cancel(): Promise<void> {
    this.assertJob((await this.describe()).workflowType);
    await onWorkflow(this.workflowId, () => this.handle.cancel());
  }

  async describe(): Promise<WorkflowDescription> {
    const { status, type, taskQueue, memo } = await onWorkflow(this.workflowId, () => this.handle.describe());
    const identity = memo?.[MemoName.identity];
    return {
      status: status.name,
      workflowType: type,
      taskQueue,
      identity: typeof identity === 'string' ? identity : undefined,
    };
  }

  /** @throws StrangeWorkflowError for a workflow of another program, which can have any ID in the same namespace */
  assertJob(workflowType: string): void {
    if (!jobTypes.includes(workflowType)) throw new StrangeWorkflowError(this.workflowId);
    this.#isJob = true;
  }

  /** Starts to measure the silence again: a caller that stopped reading events did not query the job. */
  forgetSilence(): void {
    this.#silentSinceMs = undefined;
  }

  /** Reads one event for `progress`: the end, an event of `eventOf`, or that neither a worker nor Temporal responded. */
  async readEvent<Event>(eventOf: (description: WorkflowExecutionDescription) => Promise<Event>): Promise<
    | Event
    | { readonly type: 'ended'; readonly status: string }
    | {
        readonly type: 'no-answer';
        readonly reason: string;
        readonly isLasting?: boolean | undefined;
        readonly isPaused?: boolean;
      }
  > {
    this.#silentSinceMs ??= performance.now();
    try {
      const event = await this.#readEventOnce(eventOf);
      this.#silentSinceMs = undefined;
      return event;
    } catch (error) {
      if (isOutdated(error)) {
        const reason = `${OUTDATED}. Run workers of that version, or terminate it and start it again.`;
        return { type: 'no-answer', reason, isLasting: true };
      }
      if (!isUnanswered(error)) throw fromTemporal(error, this.workflowId);
      const isLasting = this.#silentMs() >= LASTING_SILENCE_MS || undefined;
      return { type: 'no-answer', reason: await this.#reasonOfSilence(error), isLasting };
    }
  }

  async #readEventOnce<Event>(eventOf: (description: WorkflowExecutionDescription) => Promise<Event>) {
    const description = await this.handle.describe();
    this.assertJob(description.type);
    const { name } = description.status;
    if (!isOpen(name)) return { type: 'ended', status: name } as const;
    const reason = pausedText(this.workflowId);
    return name === PAUSED_STATUS ? ({ type: 'no-answer', reason, isPaused: true } as const) : eventOf(description);
  }

  async #reasonOfSilence(error: unknown): Promise<string> {
    try {
      return await this.#explain(error);
    } catch (thrown) {
      // Details of the same error can differ.
      return isTemporalAway(thrown) ? TEMPORAL_AWAY : (fromTemporal(error, this.workflowId) as Error).message;
    }
  }

  /** @throws errors of Temporal's client */
  async #explain(error: unknown): Promise<string> {
    const { raw, taskQueue } = await this.describeWithin(QUERY_TIMEOUT_MS);
    const attempts = hasFailedTask(error) ? Infinity : (raw.pendingWorkflowTask?.attempt ?? 0);
    const silent = { workflowId: this.workflowId, taskQueue, attempts };
    return this.client.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () => describeSilence(this.client, silent));
  }

  /** Aborts calls at their deadline: a call that continues after its connection closes would crash the process. */
  async until<T>(signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
    if (!signal) return call();
    // A separate signal, because each request leaves a listener on it.
    const own = new AbortController();
    setMaxListeners(0, own.signal);
    // A signal of the caller can cancel the calls of many jobs, and can be that of another library.
    if (signal instanceof EventTarget) setMaxListeners(0, signal);
    const abort = () => own.abort(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    try {
      return await this.client.withAbortSignal(own.signal, call);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}

/** @throws ConfigError for an input that Temporal cannot store, such as a BigInt */
function assertJson(update: string, input: unknown): void {
  try {
    JSON.stringify(input);
  } catch (error) {
    throw new ConfigError(`the input of ${update}() must be JSON: ${(error as Error).message}`, { cause: error });
  }
}
