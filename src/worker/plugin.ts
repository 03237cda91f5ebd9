import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import {
  NativeConnection,
  Runtime,
  Worker,
  type WorkerOptions as TemporalWorkerOptions,
  type WorkerPlugin,
} from '@temporalio/worker';
import { DEFAULT_TASK_QUEUE, transferTaskQueue } from '../contracts/names.ts';
import { withoutUndefined } from '../core/objects.ts';
import { ConfigError } from '../errors.ts';
import { createWorker } from './create-worker.ts';
import type { LonghaulWorker } from './longhaul-worker.ts';
import { workerOptionProblems, type WorkerOptions } from './options.ts';
import { assertOwnSdk } from './sdk-copies.ts';

/**
 * Options of `createWorker`, except the connection and the namespace, which are those of the host. If the host has payload
 * codecs, they are the default of `dataConverter`.
 */
export interface LonghaulPluginOptions extends Omit<WorkerOptions, 'connection' | 'namespace'> {}

const HOST_POLL_MS = 50;

/**
 * Runs Longhaul's queues alongside the workflows of an existing worker of Temporal's SDK, the host.
 *
 * Longhaul's workers are separate: they use the connection and the namespace of the host, and Longhaul's workflow bundle,
 * queues, slots and interceptors. They start and stop with the host: `shutdown` of the host releases Longhaul's parts in
 * flight, and `run` of the host resolves when both have stopped. If Longhaul's workers fail, the host shuts down, and its
 * `run` rejects with their error.
 *
 * @example
 * const worker = await Worker.create({
 *   connection, taskQueue: 'billing', workflowsPath,
 *   plugins: [new LonghaulPlugin({ destinations, sources: { files: { roots: ['/data'] } } })],
 * });
 * await worker.run();
 */
export class LonghaulPlugin implements WorkerPlugin {
  readonly name = 'longhaul';
  readonly #options: LonghaulPluginOptions;
  /** By the connection of the hosts. A plugin of a connection applies to all of its workers, which share one guest. */
  readonly #guests = new Map<NativeConnection, Map<string, Guest>>();
  /** Longhaul's own workers on this connection are not hosts. */
  readonly #ofGuest = new AsyncLocalStorage<true>();

  /** @throws ConfigError if an option is invalid, with every problem */
  constructor(options: LonghaulPluginOptions) {
    const problems = workerOptionProblems(options);
    if (problems.length > 0) throw new ConfigError(`invalid options of LonghaulPlugin: ${problems.join('; ')}`);
    this.#options = options;
  }

  /**
   * Checks the options of the host, and leaves them unchanged.
   *
   * @throws ConfigError if the host polls Longhaul's queue, or uses another copy of Temporal's SDK
   */
  configureWorker(options: TemporalWorkerOptions): TemporalWorkerOptions {
    if (this.#ofGuest.getStore()) return options;
    if (options.connection === undefined) {
      const fix = 'Pass "connection: await NativeConnection.connect(…)" to Worker.create';
      throw new ConfigError(`LonghaulPlugin uses the connection of the worker, which has none. ${fix}`);
    }
    assertOwnSdk(options.connection, NativeConnection, '"connection"');
    const { taskQueue = DEFAULT_TASK_QUEUE } = this.#options;
    if (options.taskQueue === taskQueue || options.taskQueue.startsWith(transferTaskQueue(taskQueue))) {
      const fix = 'Set "taskQueue" of LonghaulPlugin or of the worker to another name';
      throw new ConfigError(`the worker polls "${options.taskQueue}", which is a queue of Longhaul. ${fix}`);
    }
    return options;
  }

  /** @throws the errors of `createWorker` and of `run` of a LonghaulWorker, and those of the host */
  async runWorker(host: Worker, next: (host: Worker) => Promise<void>): Promise<void> {
    if (this.#ofGuest.getStore()) return next(host);
    assertOwnSdk(host, Worker, 'the worker');
    const guest = this.#join(host);
    let hasLeft = false;
    const leave = () => {
      if (!hasLeft) guest.leave();
      hasLeft = true;
    };
    // Both drain at the same time.
    const shutdown = host.shutdown.bind(host);
    host.shutdown = () => {
      shutdown();
      leave();
    };
    const ends = next(host).finally(leave);
    guest.failed.catch(() => stopHost(host, ends));
    try {
      await ends;
    } catch (error) {
      await guest.end().catch((ofGuest: unknown) => {
        Runtime.instance().logger.error(`Longhaul's worker also failed: ${(ofGuest as Error).message}`);
      });
      throw error;
    }
    await guest.end();
  }

  #join({ connection, options: { namespace, dataConverter } }: Worker): Guest {
    if (!connection) throw new ConfigError('LonghaulPlugin needs a worker with a connection');
    const ofConnection = this.#guests.get(connection) ?? new Map<string, Guest>();
    this.#guests.set(connection, ofConnection);
    const existing = ofConnection.get(namespace);
    if (existing?.isOpen) {
      existing.enter();
      return existing;
    }
    // The host's workflows write the requests of their uploads with its codecs.
    const codecs = dataConverter?.payloadCodecs;
    const ofHost = { connection, namespace, dataConverter: codecs && { payloadCodecs: codecs } };
    const create = () => createWorker({ ...ofHost, ...withoutUndefined(this.#options) });
    const guest = new Guest(create, (run) => this.#ofGuest.run(true, run));
    ofConnection.set(namespace, guest);
    const forget = () => {
      if (ofConnection.get(namespace) === guest) ofConnection.delete(namespace);
      if (ofConnection.size === 0) this.#guests.delete(connection);
    };
    guest.failed.then(forget, forget);
    return guest;
  }
}

/** Longhaul's workers, until the last of their hosts has stopped. */
class Guest {
  #hosts = 1;
  #worker: LonghaulWorker | undefined;
  #hasFailed = false;
  /** Resolves when the workers have stopped; rejects if they fail. */
  readonly failed: Promise<void>;

  constructor(create: () => Promise<LonghaulWorker>, within: (run: () => Promise<void>) => Promise<void>) {
    this.failed = within(async () => {
      this.#worker = await create();
      const running = this.#worker.run();
      // Only running workers can be shut down.
      if (!this.isOpen) await this.#worker.shutdown();
      await running;
    });
    this.failed.catch(() => (this.#hasFailed = true));
  }

  get isOpen(): boolean {
    return this.#hosts > 0 && !this.#hasFailed;
  }

  enter(): void {
    this.#hosts += 1;
  }

  leave(): void {
    this.#hosts -= 1;
    if (this.#hosts === 0) void this.#worker?.shutdown();
  }

  /** Waits for the end of the workers, unless other hosts need them. Rejects if they failed. */
  async end(): Promise<void> {
    if (!this.isOpen) await this.failed;
  }
}

/** A host can be shut down only while it runs, and other plugins can delay its start. */
async function stopHost(host: Worker, ends: Promise<void>): Promise<void> {
  let hasEnded = false;
  const end = () => (hasEnded = true);
  ends.then(end, end);
  while (!hasEnded && host.getState() === 'INITIALIZED') await delay(HOST_POLL_MS);
  if (!hasEnded && host.getState() === 'RUNNING') host.shutdown();
}
