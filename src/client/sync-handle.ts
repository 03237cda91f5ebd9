import { setMaxListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { QueryName, UpdateName } from '../contracts/names.ts';
import type { SyncProgress, SyncResult } from '../contracts/sync.ts';
import { hasWorkers } from './has-workers.ts';
import { syncFaultOf } from './sync-faults.ts';
import { isTemporalAway } from './temporal-faults.ts';
import { NoWorkerError, SteeringRefusedError } from './upload-errors.ts';
import type { ProgressOptions } from './upload-handle.ts';

/** What `SyncHandle.progress()` yields. */
export type SyncEvent =
  | { readonly type: 'progress'; readonly progress: SyncProgress }
  /** No worker or no Temporal answered in time; the sync goes on as soon as they do. */
  | { readonly type: 'no-answer'; readonly reason: string }
  /** The last event. `status` is Temporal's: COMPLETED, FAILED, CANCELLED, TERMINATED, TIMED_OUT. */
  | { readonly type: 'ended'; readonly status: string };

export interface SyncDescription {
  /** Temporal's: RUNNING, COMPLETED, FAILED, CANCELLED, TERMINATED, TIMED_OUT. */
  readonly status: string;
  /** `syncSource`, unless the id is that of something else. */
  readonly workflowType: string;
  readonly taskQueue: string;
  /** Digest of what was asked for; undefined for a sync that was started by name or by a schedule. */
  readonly identity: string | undefined;
}

const QUERY_TIMEOUT_MS = 5000;
const RECONNECT_PAUSE_MS = 500;
const STEERING_TIMEOUT_MS = 30_000;

/** One sync, from the outside. It may run anywhere, and this process may go away: the sync doesn't notice. */
export class SyncHandle {
  readonly workflowId: string;
  /** Whether `sync` found this sync running rather than starting it; undefined for a handle made from an id. */
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
   * Waits for the end, however long it takes, also across restarts of the Temporal server. Single files that failed are
   * in the result's `problems`.
   *
   * @throws SyncFailedError when the sync as a whole could not be done
   * @throws SyncCancelledError when somebody cancelled or terminated it
   * @throws SyncNotFoundError
   * @throws the reason of `signal` when that aborts; the sync goes on
   */
  async result(options: { readonly signal?: AbortSignal } = {}): Promise<SyncResult> {
    for (;;) {
      options.signal?.throwIfAborted();
      try {
        return await this.#until(options.signal, () => this.#workflow.result() as Promise<SyncResult>);
      } catch (error) {
        if (!isTemporalAway(error)) throw syncFaultOf(error, this.workflowId);
        await setTimeout(RECONNECT_PAUSE_MS);
      }
    }
  }

  /**
   * Events about once an interval until the sync has ended, whichever way (`result` tells which) or `signal` aborts.
   *
   * @throws SyncNotFoundError
   */
  async *progress(options: ProgressOptions = {}): AsyncGenerator<SyncEvent, void, undefined> {
    const { intervalMs = 500, signal } = options;
    while (!signal?.aborted) {
      const event = await this.#until(signal, () => this.#look());
      yield event;
      if (event.type === 'ended') return;
      await setTimeout(intervalMs, undefined, signal ? { signal } : {}).catch(() => {});
    }
  }

  /**
   * The answer of the workflow's own query.
   *
   * @throws NoWorkerError when no worker answers within 5 s
   * @throws SyncNotFoundError
   */
  async status(): Promise<SyncProgress> {
    try {
      return await this.#query();
    } catch (error) {
      if (!isTemporalAway(error)) throw syncFaultOf(error, this.workflowId);
      const message = `no worker answered for ${this.workflowId}; start one with "longhaul worker"`;
      throw new NoWorkerError(message, { cause: error });
    }
  }

  /** Holds further uploads back; those under way go on. @throws SteeringRefusedError, NoWorkerError */
  pause(): Promise<SyncProgress> {
    return this.#update(UpdateName.pause);
  }

  /** @throws SteeringRefusedError, NoWorkerError */
  resume(): Promise<SyncProgress> {
    return this.#update(UpdateName.resume);
  }

  /** Goes on at once with what the sync itself waits for; its uploads have handles of their own. @throws SteeringRefusedError, NoWorkerError */
  retry(): Promise<SyncProgress> {
    return this.#update(UpdateName.retry);
  }

  /** Asks for the end; the uploads under way cancel their sessions first. `result` then rejects with SyncCancelledError. */
  async cancel(): Promise<void> {
    try {
      await this.#workflow.cancel();
    } catch (error) {
      throw syncFaultOf(error, this.workflowId);
    }
  }

  /** Where the sync stands in Temporal, without asking a worker. @throws SyncNotFoundError, TemporalUnreachableError */
  async describe(): Promise<SyncDescription> {
    try {
      const { status, type, taskQueue, memo } = await this.#workflow.describe();
      const identity = memo?.['longhaulIdentity'] as string | undefined;
      return { status: status.name, workflowType: type, taskQueue, identity };
    } catch (error) {
      throw syncFaultOf(error, this.workflowId);
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

  #query(): Promise<SyncProgress> {
    return this.#client.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () =>
      this.#workflow.query<SyncProgress>(QueryName.syncProgress),
    );
  }

  /** An update waits for a worker for ever; a person should rather be told that none is there. */
  async #update(name: string): Promise<SyncProgress> {
    const { status, taskQueue } = await this.describe();
    if (status !== 'RUNNING') throw new SteeringRefusedError(`${this.workflowId} has ended: ${status}`);
    if (!(await hasWorkers(this.#client, taskQueue, 'workflow'))) {
      throw new NoWorkerError(`no worker serves the task queue ${taskQueue}; start one with "longhaul worker"`);
    }
    try {
      return await this.#client.withDeadline(Date.now() + STEERING_TIMEOUT_MS, () =>
        this.#workflow.executeUpdate<SyncProgress, [object]>(name, { args: [{}] }),
      );
    } catch (error) {
      throw syncFaultOf(error, this.workflowId);
    }
  }

  async #look(): Promise<SyncEvent> {
    try {
      const { status } = await this.#workflow.describe();
      if (status.name !== 'RUNNING') return { type: 'ended', status: status.name };
      return { type: 'progress', progress: await this.#query() };
    } catch (error) {
      if (!isTemporalAway(error)) throw syncFaultOf(error, this.workflowId);
      return { type: 'no-answer', reason: (error as Error).message };
    }
  }
}
