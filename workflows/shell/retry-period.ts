import type { WaitingInfo } from '../../src/contracts/upload.ts';

/** One call that waits, or can wait. */
interface Wait {
  readonly info: WaitingInfo | undefined;
}

/**
 * The retry period of an upload, which all of its calls share. It starts when the first call waits. A wait that starts
 * during another wait belongs to the same period, so that the calls cannot each wait for a whole period.
 */
export class RetryPeriod {
  readonly #waits: Wait[] = [];
  #completionSinceMs: number | undefined;

  /** @param completionSinceMs `completionSinceMs` of the previous execution */
  constructor(completionSinceMs?: number) {
    this.#completionSinceMs = completionSinceMs;
  }

  /** Time from which the completion of a lost session waited, in Unix milliseconds. */
  get completionSinceMs(): number | undefined {
    return this.#completionSinceMs;
  }

  add(wait: Wait): void {
    this.#waits.push(wait);
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
