import { setMaxListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import { MemoName, WorkflowName } from '../../contracts/names.ts';
import { hasWorkers } from '../queues/queue-workers.ts';
import type { ReadAnswer } from './read-answers.ts';
import { isTemporalAway } from '../../temporal/temporal-fault.ts';
import {
  fromTemporal,
  onWorkflow,
  isOutdated,
  isUnanswered,
  isWithoutWorker,
  noWorkerAnswered,
  OUTDATED,
} from '../temporal-faults.ts';
import { NoWorkerError, SteeringRefusedError, StrangeWorkflowError } from '../errors.ts';
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

/** Calls to one workflow, with Longhaul's errors and time limits. */
export class FollowedWorkflow {
  readonly workflowId: string;
  readonly client: Client;
  readonly handle: WorkflowHandle;

  constructor(client: Client, workflowId: string) {
    this.workflowId = workflowId;
    this.client = client;
    this.handle = client.workflow.getHandle(workflowId);
  }

  /** Waits for the end without a time limit, also across restarts of the Temporal server. */
  async result<Result>(signal: AbortSignal | undefined, read: ReadAnswer<Result>): Promise<Result> {
    for (;;) {
      signal?.throwIfAborted();
      try {
        return read(await this.until(signal, () => this.handle.result() as Promise<unknown>), this.workflowId);
      } catch (error) {
        if (!isTemporalAway(error)) throw fromTemporal(error, this.workflowId);
        await setTimeout(RECONNECT_PAUSE_MS);
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
    const deadline = Date.now() + QUERY_TIMEOUT_MS;
    return read(await this.client.withDeadline(deadline, () => this.handle.query<unknown>(name)), this.workflowId);
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
    const { status, taskQueue, workflowType } = await this.describe();
    this.assertJob(workflowType);
    if (!isOpen(status))
      throw new SteeringRefusedError(`${this.workflowId} is already closed (${status.toLowerCase()})`);
    if (status === PAUSED_STATUS) throw new SteeringRefusedError(pausedText(this.workflowId));
    return onWorkflow(this.workflowId, async () => {
      if (!(await hasWorkers(this.client, taskQueue, 'workflow'))) {
        throw new NoWorkerError(`no worker polls task queue "${taskQueue}". Start "longhaul worker".`);
      }
      const answer = await this.client.withDeadline(Date.now() + timeoutMs, () =>
        this.handle.executeUpdate<unknown, [object]>(name, { args: [input] }),
      );
      return read(answer, this.workflowId);
    });
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
  }

  /** Reads one event for `progress`: the end, an event of `tell`, or that neither a worker nor Temporal responded. */
  async look<Event>(
    tell: (description: WorkflowExecutionDescription) => Promise<Event>,
  ): Promise<
    | Event
    | { readonly type: 'ended'; readonly status: string }
    | { readonly type: 'no-answer'; readonly reason: string; readonly isPaused?: boolean }
  > {
    try {
      const description = await this.handle.describe();
      this.assertJob(description.type);
      const { name } = description.status;
      if (!isOpen(name)) return { type: 'ended', status: name };
      if (name === PAUSED_STATUS) return { type: 'no-answer', reason: pausedText(this.workflowId), isPaused: true };
      return await tell(description);
    } catch (error) {
      if (isOutdated(error)) {
        const reason = `${OUTDATED}. Run workers of that version, or terminate it and start it again.`;
        return { type: 'no-answer', reason };
      }
      if (!isUnanswered(error)) throw fromTemporal(error, this.workflowId);
      return { type: 'no-answer', reason: await this.#whyNobodyAnswers(error) };
    }
  }

  async #whyNobodyAnswers(error: unknown): Promise<string> {
    try {
      const { taskQueue } = await this.describeWithin(QUERY_TIMEOUT_MS);
      if (!(await hasWorkers(this.client, taskQueue, 'workflow'))) return `no worker polls task queue "${taskQueue}"`;
    } catch {
      // Temporal does not respond.
    }
    return (fromTemporal(error, this.workflowId) as Error).message;
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
