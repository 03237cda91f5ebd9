import type { ReserveInput } from '../../contracts/request-budget.ts';

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

/** What is wrong with the input of the update `reserve`; undefined for a good one. */
export function reserveProblem(input: Partial<ReserveInput> | undefined): string | undefined {
  const isWithin = (value: unknown, least: number, most: number) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
  if (!isWithin(input?.count, 1, 1000)) return '"count" must be a whole number from 1 to 1000';
  if (!isWithin(input?.perMinute, 10, 1_000_000)) return '"perMinute" must be a whole number from 10 to 1000000';
  return undefined;
}
