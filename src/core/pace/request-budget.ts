/** Part of what is allowed that may be asked for at once after a rest. */
const BURST_SHARE = 0.05;

/** The rest is spread over the minute, and a little is kept back for answers that come late. */
const STEADY_SHARE = 0.9;

/**
 * Requests of many workers to one service, spread so that no minute has more than it allows: each gets its own moment
 * (the generic cell rate algorithm).
 */
export class RequestBudget {
  #nextMs: number;

  /** @param nextMs `nextMs` of the budget that this one goes on from */
  constructor(nextMs = 0) {
    this.#nextMs = nextMs;
  }

  /** When the next request could be made at a steady pace, in Unix milliseconds. */
  get nextMs(): number {
    return this.#nextMs;
  }

  /**
   * Gives each of `count` requests its moment.
   *
   * @param perMinute at least 10
   * @returns milliseconds from now for each, ascending
   */
  reserve(count: number, perMinute: number, nowMs: number): number[] {
    const intervalMs = 60_000 / (perMinute * STEADY_SHARE);
    const burst = Math.max(1, Math.floor(perMinute * BURST_SHARE));
    this.#nextMs = Math.max(this.#nextMs, nowMs - (burst - 1) * intervalMs);
    return Array.from({ length: count }, () => {
      const waitMs = Math.max(0, Math.ceil(this.#nextMs - nowMs));
      this.#nextMs += intervalMs;
      return waitMs;
    });
  }
}
