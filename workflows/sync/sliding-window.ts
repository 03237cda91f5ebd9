import { CancellationScope, condition } from '@temporalio/workflow';
import { PayloadLimits } from '../../src/contracts/limits.ts';

/** Runs many things, some of them at a time. */
export class SlidingWindow {
  readonly #limit: () => number;
  #running = 0;
  #runningBytes = 0;

  /** @param limit most at a time */
  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /** @param bytes of the next one's command: those of all that run fit into one message to Temporal */
  hasRoom(bytes: number, lanes = 1): boolean {
    if (this.isEmpty) return true;
    return this.#running + lanes <= this.#limit() && this.#runningBytes + bytes <= PayloadLimits.inFlight;
  }

  get isEmpty(): boolean {
    return this.#running === 0;
  }

  /** @param work deals with its own failures */
  start(bytes: number, work: () => Promise<void>, lanes = 1): void {
    this.#running += lanes;
    this.#runningBytes += bytes;
    void work()
      .catch(() => {})
      .finally(() => {
        this.#running -= lanes;
        this.#runningBytes -= bytes;
      });
  }

  /** Waits for what runs, also when the workflow is cancelled: that reaches it by itself. */
  async drain(): Promise<void> {
    if (!this.isEmpty) await CancellationScope.nonCancellable(() => condition(() => this.isEmpty));
  }
}
