import { setTimeout as delay } from 'node:timers/promises';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { workerFault } from './faults.ts';

/** For parts without a grace time. The grace time of the control worker runs only after it. */
const TRANSFER_END_MS = 1000;

interface Held {
  /** Called when the workers run. */
  start?(): unknown;
  close(): Promise<void>;
}

/** Polls the control queue, the shared transfer queue and the transfer queues of this machine. */
export class LonghaulWorker {
  readonly taskQueues: readonly string[];
  readonly #workers: readonly Worker[];
  readonly #held: readonly Held[];
  readonly #answers: () => Promise<unknown>;
  #runs: readonly { readonly worker: Worker; readonly run: Promise<void> }[] = [];
  #stopping = false;
  #running: Promise<void> | undefined;

  /**
   * @param held is closed when the workers have ended
   * @param answers rejects if Temporal does not respond
   */
  constructor(workers: readonly Worker[], held: readonly Held[], answers: () => Promise<unknown> = async () => {}) {
    this.#workers = workers;
    this.#held = held;
    this.#answers = answers;
    this.taskQueues = workers.map((worker) => worker.options.taskQueue);
  }

  /**
   * Runs until `shutdown`.
   *
   * @throws TemporalUnreachableError, WorkerFailedError for the first permanent error of Temporal's worker
   */
  run(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  /** Accepts no new tasks, releases those in flight, and resolves when all have ended. Never rejects. */
  async shutdown(): Promise<void> {
    // A worker of the SDK that never runs keeps the connection from closing.
    const running = this.run();
    void this.#stop();
    await running.catch(() => {});
  }

  /** Whether all workers run, and Temporal responds. Never rejects. */
  async isReady(): Promise<boolean> {
    const isWorking = () => this.#workers.every((worker) => worker.getState() === 'RUNNING');
    return isWorking() && (await this.#answers().then(isWorking, () => false));
  }

  async #run(): Promise<void> {
    try {
      this.#runs = this.#workers.map((worker) => ({ worker, run: worker.run() }));
      const runs = this.#runs.map(({ run }) =>
        run.catch((error: unknown) => {
          void this.#stop();
          throw error;
        }),
      );
      for (const one of this.#held) one.start?.();
      const failed = (await Promise.allSettled(runs)).find((run) => run.status === 'rejected');
      if (failed) throw workerFault(failed.reason);
    } finally {
      await Promise.all(this.#held.map((one) => one.close()));
    }
  }

  /**
   * Stops the control worker last. Parts that end during the shutdown are followed by a workflow task, and Temporal can lose
   * a task that it sends to a worker that stops polling. The whole upload would wait for the timeout of this task.
   */
  async #stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    const isControl = (worker: Worker) => worker.options.workflowBundle !== undefined;
    const transfers = this.#workers.filter((worker) => !isControl(worker));
    for (const worker of transfers) stop(worker);
    const ended = Promise.allSettled(this.#runs.flatMap(({ worker, run }) => (isControl(worker) ? [] : run)));
    // Keeps the process running: the workers of the SDK may not.
    const timer = new AbortController();
    await Promise.race([ended, delay(TRANSFER_END_MS, undefined, { signal: timer.signal })]);
    timer.abort();
    for (const worker of this.#workers.filter(isControl)) stop(worker);
  }
}

function stop(worker: Worker): void {
  if (worker.getState() === 'RUNNING') worker.shutdown();
}

/** All workers, or none: a worker of the SDK that never runs keeps the connection from closing. */
export async function createAll(wanted: readonly WorkerOptions[]): Promise<Worker[]> {
  const created = await Promise.allSettled(wanted.map((worker) => Worker.create(worker)));
  const workers = created.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  const failed = created.find((one) => one.status === 'rejected');
  if (!failed) return workers;
  await new LonghaulWorker(workers, []).shutdown();
  throw failed.reason;
}
