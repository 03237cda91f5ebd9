import type { Waiting } from './waiting.ts';

/**
 * The retry period of an upload, which all of its calls share. It starts when the first call waits. A wait that starts
 * during another wait belongs to the same period, so that the calls cannot each wait for a whole period.
 */
export class RetryPeriod {
  readonly #waits: Waiting[] = [];
  #completionSinceMs: number | undefined;

  /** @param completionSinceMs `completionSinceMs` of the previous execution */
  constructor(completionSinceMs?: number) {
    this.#completionSinceMs = completionSinceMs;
  }

  /** Time from which the completion of a lost session waited, in Unix milliseconds. */
  get completionSinceMs(): number | undefined {
    return this.#completionSinceMs;
  }

  add(waiting: Waiting): void {
    this.#waits.push(waiting);
  }

  /** Records that the session of a waiting completion is lost. The completion of the next session continues its wait. */
  keep(sinceMs: number): void {
    this.#completionSinceMs ??= sinceMs;
  }

  /** Returns the start of the period for a wait that starts now, in Unix milliseconds. */
  startOfWait(): number {
    const starts = this.#waits.flatMap(({ info }) => (info ? [info.sinceMs] : []));
    return Math.min(...starts, this.#completionSinceMs ?? Infinity, Date.now());
  }
}
