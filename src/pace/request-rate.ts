import { setTimeout } from 'node:timers/promises';
import { Client, WithStartWorkflowOperation } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { Runtime, type NativeConnection } from '@temporalio/worker';
import { UpdateName, WorkflowName } from '../contracts/names.ts';
import type { ReserveInput, ReserveResult } from '../contracts/request-rate.ts';
import { summaryCode } from '../core/text/markdown.ts';
import { AbortedError } from '../errors.ts';

export interface RequestRateOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  /** The control queue. The workers of one control queue share the rate of a destination. */
  readonly taskQueue: string;
  /** As that of the worker. */
  readonly dataConverter?: DataConverter | undefined;
}

export interface RequestTurnsOptions {
  /** Requests up to 1,000 moments. @returns the milliseconds until each moment, ascending */
  readonly reserve: (count: number) => Promise<readonly number[]>;
  readonly onFault: (error: unknown) => void;
  /** Time without a rate after an error. @defaultValue 30,000 */
  readonly faultPauseMs?: number;
}

const MAX_RESERVED = 1000;

/** At ten per minute, 1,000 requests take less than two hours. A later moment is not one of a rate. */
const MAX_WAIT_MS = 7_200_000;

/** Enough for a busy worker, and an acceptable delay of a request if no worker responds. */
const RESPONSE_TIMEOUT_MS = 10_000;

/** Turns of the rate that all workers of a control queue share for a destination. A workflow schedules them. */
export function requestTurns(
  { connection, namespace, taskQueue, dataConverter }: RequestRateOptions,
  destination: string,
  perMinute: number,
): RequestTurns {
  const client = new Client({ connection, namespace, dataConverter });
  const workflowId = `longhaul-requests-${taskQueue}-${destination}`;
  const reserve = async (count: number): Promise<readonly number[]> => {
    const startWorkflowOperation = new WithStartWorkflowOperation(WorkflowName.requestRate, {
      workflowId,
      taskQueue,
      args: [],
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `requests to ${summaryCode(`${destination}/files`)}`,
      priority: { priorityKey: 1 },
    });
    const input: ReserveInput = { count, perMinute };
    const { waitsMs } = await client.withDeadline(Date.now() + RESPONSE_TIMEOUT_MS, () =>
      client.workflow.executeUpdateWithStart<() => Promise<void>, ReserveResult, [ReserveInput]>(UpdateName.reserve, {
        args: [input],
        startWorkflowOperation,
      }),
    );
    return waitsMs;
  };
  return new RequestTurns({
    reserve,
    onFault: (error) =>
      Runtime.instance().logger.warn(`requests to ${destination}/files have no rate for 30 s`, { error }),
  });
}

/**
 * Delays each request until its turn. Requests that arrive during a reservation share the next one.
 *
 * If no response arrives, requests are made immediately: the 429 of the service then limits them, and the uploads do not
 * stop.
 */
export class RequestTurns {
  readonly #options: RequestTurnsOptions;
  #waiting: ((waitMs: number) => void)[] = [];
  #isReserving = false;
  #pausedUntilMs = -Infinity;

  constructor(options: RequestTurnsOptions) {
    this.#options = options;
  }

  /** Resolves when the request can be made. @throws AbortedError if the signal is aborted first */
  async take(signal?: AbortSignal): Promise<void> {
    if (performance.now() < this.#pausedUntilMs) return;
    const waitMs = await new Promise<number>((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#isReserving) void this.#reserveAll();
    });
    try {
      signal?.throwIfAborted();
      if (waitMs > 0) await setTimeout(waitMs, undefined, { signal });
    } catch (error) {
      throw new AbortedError('a request was aborted by its caller before its turn', { cause: error });
    }
  }

  async #reserveAll(): Promise<void> {
    this.#isReserving = true;
    while (this.#waiting.length > 0) {
      const requests = this.#waiting.splice(0, MAX_RESERVED);
      const waits = await this.#reserve(requests.length);
      for (const [index, grant] of requests.entries()) grant(waits[index] ?? 0);
    }
    this.#isReserving = false;
  }

  async #reserve(count: number): Promise<readonly number[]> {
    if (performance.now() < this.#pausedUntilMs) return [];
    try {
      const waits: unknown = await this.#options.reserve(count);
      if (!isWaits(waits)) throw new TypeError('the workflow requestRate returned no moments');
      return waits;
    } catch (error) {
      this.#pausedUntilMs = performance.now() + (this.#options.faultPauseMs ?? 30_000);
      this.#options.onFault(error);
      return [];
    }
  }
}

/** Another program can have started the workflow. */
function isWaits(waits: unknown): waits is readonly number[] {
  return (
    Array.isArray(waits) && waits.every((waitMs) => typeof waitMs === 'number' && waitMs >= 0 && waitMs <= MAX_WAIT_MS)
  );
}
