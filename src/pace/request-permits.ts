import { setTimeout } from 'node:timers/promises';
import { AbortedError } from '../errors.ts';

export interface RequestPermitsOptions {
  /** Asks for that many moments, 1 to 1,000; answers with the milliseconds until each, ascending. */
  readonly reserve: (count: number) => Promise<readonly number[]>;
  readonly onFault: (error: unknown) => void;
  /** After a fault nobody is asked for so long. @defaultValue 30,000 */
  readonly faultPauseMs?: number;
}

const MOST_AT_A_TIME = 1000;

/** A thousand requests at ten a minute take less than two hours; a moment later than that is no budget's. */
const MAX_WAIT_MS = 7_200_000;

/**
 * Holds requests back until it's their turn. Those that come while an answer is under way are asked for together.
 *
 * When there is no answer the requests go at once: the service's own 429 limits them then, which is better than that
 * nothing goes on.
 */
export class RequestPermits {
  readonly #options: RequestPermitsOptions;
  #waiting: ((waitMs: number) => void)[] = [];
  #isAsking = false;
  #askAgainAtMs = 0;

  constructor(options: RequestPermitsOptions) {
    this.#options = options;
  }

  /** Resolves when the request may be made. @throws AbortedError when the signal comes first */
  async take(signal?: AbortSignal): Promise<void> {
    if (Date.now() < this.#askAgainAtMs) return;
    const waitMs = await new Promise<number>((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#isAsking) void this.#ask();
    });
    try {
      signal?.throwIfAborted();
      if (waitMs > 0) await setTimeout(waitMs, undefined, { signal });
    } catch (error) {
      throw new AbortedError('a request was aborted by its caller before its turn', { cause: error });
    }
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    while (this.#waiting.length > 0) {
      const asking = this.#waiting.splice(0, MOST_AT_A_TIME);
      const waits = await this.#reserve(asking.length);
      for (const [index, grant] of asking.entries()) grant(waits[index] ?? 0);
    }
    this.#isAsking = false;
  }

  async #reserve(count: number): Promise<readonly number[]> {
    if (Date.now() < this.#askAgainAtMs) return [];
    try {
      const waits: unknown = await this.#options.reserve(count);
      if (!isWaits(waits)) throw new TypeError('the budget of requests answered with no moments');
      return waits;
    } catch (error) {
      this.#askAgainAtMs = Date.now() + (this.#options.faultPauseMs ?? 30_000);
      this.#options.onFault(error);
      return [];
    }
  }
}

/** The workflow that keeps the budget may be another program's. */
function isWaits(waits: unknown): waits is readonly number[] {
  return (
    Array.isArray(waits) && waits.every((waitMs) => typeof waitMs === 'number' && waitMs >= 0 && waitMs <= MAX_WAIT_MS)
  );
}
