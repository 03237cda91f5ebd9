import { setTimeout } from 'node:timers/promises';
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { QueryName, UpdateName, WorkflowName, type PauseInput } from '../contracts/names.ts';
import type { SyncProgress, SyncResult } from '../contracts/sync.ts';
import { FollowedWorkflow, type WorkflowDescription } from './follow/followed-workflow.ts';
import { lookAtUpload, LOOKS_A_POLL, SyncBytes } from './follow/sync-bytes.ts';
import { progressOfSync } from './follow/read-end.ts';
import { readSyncProgress, readSyncResult } from './follow/read-answers.ts';
import { syncFaultOf } from './temporal-faults.ts';
import { pendingActivities, type PendingActivity } from './follow/pending.ts';
import { findUnpolledQueue, UnpolledQueueWatch, type UnpolledQueue } from './queues/unpolled-queue.ts';
import { PAUSE_TIMEOUT_MS, type ProgressOptions } from './upload-handle.ts';

const DESCRIBE_TIMEOUT_MS = 5000;

/** What `SyncHandle.progress()` yields. */
export type SyncEvent =
  | {
      readonly type: 'progress';
      readonly progress: SyncProgress;
      /** Bytes of the files that were sent and of the large files under way; small ones count when they are there. */
      readonly bytesSent?: number;
      /** The queue of the folder, if work waits for it and no worker polls it. */
      readonly unpolled?: UnpolledQueue;
    }
  /**
   * No worker or no Temporal answered in time; or, once, no worker polls the queue of the folder, such as that of its
   * host. The sync continues when one does.
   */
  | {
      readonly type: 'no-answer';
      readonly reason: string;
      /** The queue of the folder, if no worker polls it; undefined if nothing answered. */
      readonly unpolled?: UnpolledQueue;
    }
  /** The last event. `status` is Temporal's: COMPLETED, FAILED, CANCELLED, TERMINATED, TIMED_OUT. */
  | { readonly type: 'ended'; readonly status: string };

/** What `SyncHandle.status()` tells. */
export interface SyncStatus extends SyncProgress {
  /** As in `SyncEvent`. */
  readonly bytesSent?: number;
  /** The queue of the folder, if work waits for it and no worker polls it. */
  readonly unpolled?: UnpolledQueue;
}

/** One sync, from the outside. It may run anywhere, and this process may go away: the sync doesn't notice. */
export class SyncHandle {
  readonly workflowId: string;
  /** Whether `sync` found this sync running rather than starting it; undefined for a handle made from an id. */
  readonly resumed: boolean | undefined;
  readonly #workflow: FollowedWorkflow;
  readonly #queues: UnpolledQueueWatch;

  constructor(client: Client, workflowId: string, resumed?: boolean) {
    this.workflowId = workflowId;
    this.resumed = resumed;
    this.#workflow = new FollowedWorkflow(client, workflowId, syncFaultOf);
    this.#queues = new UnpolledQueueWatch(client);
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
  result(options: { readonly signal?: AbortSignal } = {}): Promise<SyncResult> {
    return this.#workflow.result(options.signal, readSyncResult);
  }

  /**
   * Events about once an interval until the sync has ended, whichever way (`result` tells which) or `signal` aborts.
   * Each asks at most eight of the uploads under way how far they are, in turns.
   *
   * @throws SyncNotFoundError
   */
  async *progress(options: ProgressOptions = {}): AsyncGenerator<SyncEvent, void, undefined> {
    const { intervalMs = 500, signal } = options;
    const bytes = this.#newBytes(LOOKS_A_POLL);
    let reported: string | undefined;
    while (!signal?.aborted) {
      const event = await this.#workflow.until(signal, () => this.#look(bytes));
      yield event;
      if (event.type === 'ended') return;
      if (event.type === 'progress') {
        const { unpolled } = event;
        if (unpolled && unpolled.reason !== reported) yield { type: 'no-answer', reason: unpolled.reason, unpolled };
        reported = unpolled?.reason;
      }
      await setTimeout(intervalMs, undefined, signal ? { signal } : {}).catch(() => {});
    }
  }

  /**
   * The answer of the workflow's own query, and what the uploads under way have sent. Of a completed sync, it is made of
   * the result in Temporal's history, without a worker.
   *
   * @throws NoWorkerError when no worker answers within 5 s
   * @throws SyncNotFoundError
   */
  status(): Promise<SyncStatus> {
    return this.#workflow.ask(async () => {
      const { client, handle } = this.#workflow;
      const description = await client.withDeadline(Date.now() + DESCRIBE_TIMEOUT_MS, () => handle.describe());
      if (description.status.name === 'COMPLETED') return progressOfSync(description, await this.result());
      // All are asked: there is no next poll for the others.
      const { progress, bytesSent } = await this.#measured(description, this.#newBytes(Infinity));
      const unpolled = await this.#pending(description).then((pending) =>
        findUnpolledQueue(client, description.taskQueue, pending),
      );
      return { ...progress, bytesSent, unpolled };
    });
  }

  /** Pauses the sync and its uploads. Returns when nothing is in flight. @throws SteeringRefusedError, NoWorkerError */
  pause(input: PauseInput = {}): Promise<SyncProgress> {
    return this.#workflow.update(UpdateName.pause, input, readSyncProgress, PAUSE_TIMEOUT_MS);
  }

  /** @throws SteeringRefusedError, NoWorkerError */
  resume(): Promise<SyncProgress> {
    return this.#workflow.update(UpdateName.resume, {}, readSyncProgress);
  }

  /** Makes the next attempt of all that waits immediately, also in the uploads of the sync. @throws SteeringRefusedError, NoWorkerError */
  retry(): Promise<SyncProgress> {
    return this.#workflow.update(UpdateName.retry, {}, readSyncProgress);
  }

  /** Asks for the end; the uploads under way cancel their sessions first. `result` then rejects with SyncCancelledError. */
  cancel(): Promise<void> {
    return this.#workflow.cancel();
  }

  /** Where the sync stands in Temporal, without asking a worker. @throws SyncNotFoundError, TemporalUnreachableError */
  describe(): Promise<WorkflowDescription> {
    return this.#workflow.describe();
  }

  #query(): Promise<SyncProgress> {
    return this.#workflow.query(QueryName.progress, readSyncProgress);
  }

  #newBytes(looksAtOnce: number): SyncBytes {
    return new SyncBytes((workflowId) => lookAtUpload(this.#workflow.client, workflowId), looksAtOnce);
  }

  #look(bytes: SyncBytes): Promise<SyncEvent> {
    return this.#workflow.look(async (description): Promise<SyncEvent> => {
      const measured = await this.#measured(description, bytes);
      const unpolled = await this.#queues.check(description.taskQueue, () => this.#pending(description));
      return { type: 'progress', ...measured, unpolled };
    });
  }

  /** Activities of the sync, or else of one of its uploads: all of them read the same folder. */
  async #pending({ raw }: WorkflowExecutionDescription): Promise<readonly PendingActivity[]> {
    const own = raw.pendingActivities ?? [];
    const child = raw.pendingChildren?.[0]?.workflowId;
    return own.length > 0 || !child ? own : pendingActivities(this.#workflow.client, child);
  }

  async #measured({ raw }: WorkflowExecutionDescription, bytes: SyncBytes) {
    const progress = await this.#query();
    const uploads = (raw.pendingChildren ?? [])
      .filter(({ workflowTypeName }) => workflowTypeName === WorkflowName.uploadFile)
      .flatMap(({ workflowId }) => workflowId ?? []);
    return { progress, bytesSent: await bytes.measure(progress.counts, uploads) };
  }
}
