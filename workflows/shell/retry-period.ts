import type { Waiting } from './waiting.ts';

/**
 * The retry period of an upload, which all its calls share. It starts when the first call waits. A wait that starts
 * while another one lasts belongs to the same period, so that the calls cannot wait one after the other, each for the
 * whole period.
 */
export class RetryPeriod {
  readonly #waits: Waiting[] = [];
  #completionSinceMs: number | undefined;

  /** @param completionSinceMs as `completionSinceMs` of the execution before this one */
  constructor(completionSinceMs?: number) {
    this.#completionSinceMs = completionSinceMs;
  }

  /** When the completion of a lost session began to wait, in Unix milliseconds. */
  get completionSinceMs(): number | undefined {
    return this.#completionSinceMs;
  }

  add(waiting: Waiting): void {
    this.#waits.push(waiting);
  }

  /** The session is lost whose completion waits. The completion of the next session continues its wait. */
  keep(sinceMs: number): void {
    this.#completionSinceMs ??= sinceMs;
  }

  /** When a wait that starts now began to count, in Unix milliseconds. */
  startOfWait(): number {
    const starts = this.#waits.flatMap(({ info }) => (info ? [info.sinceMs] : []));
    return Math.min(...starts, this.#completionSinceMs ?? Infinity, Date.now());
  }
}
