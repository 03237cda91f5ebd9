import { Client, WorkflowUpdateFailedError } from '@temporalio/client';
import { WorkflowNotFoundError, type DataConverter } from '@temporalio/common';
import type { NativeConnection } from '@temporalio/worker';
import { FailureType } from '../contracts/failures.ts';
import { UpdateName, WorkflowName } from '../contracts/names.ts';
import { SearchAttributes } from '../contracts/search-attributes.ts';
import { reasonLabel } from '../core/show/attributes.ts';
import { callSignal } from '../temporal/call-signal.ts';
import { tolerantClient } from '../temporal/tolerant-client.ts';

const UPDATE_TIMEOUT_MS = 10_000;
const LIST_TIMEOUT_MS = 10_000;
const MOST_LISTED = 1000;

export interface WaitingUploadsOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  /** The control queue. */
  readonly taskQueue: string;
  /** As that of the worker. */
  readonly dataConverter?: DataConverter | undefined;
}

/** Uploads and syncs that wait, and run on the queue of a worker. */
export class WaitingUploads {
  readonly #client: Client;
  readonly #taskQueue: string;
  readonly #ending = new AbortController();
  #starting: Promise<void> | undefined;

  constructor({ connection, namespace, taskQueue, dataConverter }: WaitingUploadsOptions) {
    // One foreign memo would fail the whole list.
    this.#client = tolerantClient(new Client({ connection, namespace, dataConverter }));
    this.#taskQueue = taskQueue;
  }

  /** Returns false if the workflow did not wait yet. @throws ServiceError of Temporal's client */
  readonly retry = async (workflowId: string): Promise<boolean> => {
    const handle = this.#client.workflow.getHandle(workflowId);
    try {
      const { waiting } = await this.#bounded(UPDATE_TIMEOUT_MS, () =>
        handle.executeUpdate<{ readonly waiting?: object | null }, []>(UpdateName.retry, { args: [] }),
      );
      return waiting != null;
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError || error instanceof WorkflowNotFoundError) return true;
      throw error;
    }
  };

  start(): void {
    this.#starting = this.retryRejected();
  }

  /** Aborts all calls. A call that continues after its connection is closed would end the process. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#starting;
  }

  /**
   * Retries the uploads of the queue that wait because of a key, because a worker that starts can have another key. Best effort:
   * a namespace without search attributes does not list them, and they retry later. Never rejects.
   */
  async retryRejected(): Promise<void> {
    const types = [WorkflowName.uploadFile, WorkflowName.syncSource];
    const reasons = [
      reasonLabel(FailureType.ApiRejected, 401),
      reasonLabel(FailureType.ApiRejected, 403),
      FailureType.ConfigInvalid,
    ];
    const anyOf = (values: readonly string[]) => values.map((value) => `"${value}"`).join(', ');
    const query = [
      `WorkflowType IN (${anyOf(types)})`,
      'ExecutionStatus = "Running"',
      `TaskQueue = "${this.#taskQueue}"`,
      `${SearchAttributes.state.name} = "waiting"`,
      `${SearchAttributes.reason.name} IN (${anyOf(reasons)})`,
    ].join(' AND ');
    try {
      const found: string[] = [];
      await this.#bounded(LIST_TIMEOUT_MS, async () => {
        for await (const { workflowId } of this.#client.workflow.list({ query })) {
          if (found.push(workflowId) >= MOST_LISTED) return;
        }
      });
      for (const workflowId of found) {
        if (this.#ending.signal.aborted) return;
        await this.retry(workflowId).catch(() => {});
      }
    } catch {
      // Their own timer is soon enough.
    }
  }

  #bounded<T>(timeoutMs: number, call: () => Promise<T>): Promise<T> {
    const signal = callSignal(this.#ending.signal);
    return this.#client.withAbortSignal(signal, () => this.#client.withDeadline(Date.now() + timeoutMs, call));
  }
}
