import { CancellationScope, condition } from '@temporalio/workflow';

/** Runs many things, some of them at a time. */
export class SlidingWindow {
  readonly #limit: number;
  #running = 0;

  /** @param limit most at a time */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get hasRoom(): boolean {
    return this.#running < this.#limit;
  }

  get isEmpty(): boolean {
    return this.#running === 0;
  }

  /** @param work deals with its own failures */
  start(work: () => Promise<void>): void {
    this.#running++;
    void work()
      .catch(() => {})
      .finally(() => this.#running--);
  }

  /** Waits for what runs, also when the workflow is cancelled: that reaches it by itself. */
  async drain(): Promise<void> {
    if (!this.isEmpty) await CancellationScope.nonCancellable(() => condition(() => this.isEmpty));
  }
}
