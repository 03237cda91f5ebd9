/**
 * Shares an amount per second in the order of the requests: each request gets its own moment (the generic cell rate
 * algorithm). It uses no clock and no timer.
 */
export class Rate {
  #freeAtMs: number;

  /** @param freeAtMs `freeAtMs` of a rate that this one continues */
  constructor(freeAtMs = -Infinity) {
    this.#freeAtMs = freeAtMs;
  }

  /** The next moment at a steady rate. */
  get freeAtMs(): number {
    return this.#freeAtMs;
  }

  /**
   * @param costMs time for which the request uses the rate
   * @param burstMs time that can be used immediately after an idle time
   * @returns milliseconds until the request can be made
   */
  take(costMs: number, burstMs: number, nowMs: number): number {
    const startMs = Math.max(this.#freeAtMs, nowMs - burstMs);
    this.#freeAtMs = startMs + costMs;
    return Math.max(startMs - nowMs, 0);
  }
}

const BYTES_BURST_MS = 100;

/** Slower parts would exceed their timeout (see `partTimeoutMs`). */
const LEAST_PART_BYTES_PER_SECOND = 128 * 1024;

/** The minimum of a rate of bytes. */
export const MIN_LIMIT_BYTES_PER_SECOND = LEAST_PART_BYTES_PER_SECOND;

export class ByteRate {
  /** Undefined: no rate. A change does not affect what was granted before. */
  bytesPerSecond: number | undefined;
  readonly #rate = new Rate();

  constructor(bytesPerSecond?: number) {
    this.bytesPerSecond = bytesPerSecond;
  }

  /** @returns milliseconds until the bytes can be sent */
  take(bytes: number, nowMs: number): number {
    if (this.bytesPerSecond === undefined) return 0;
    return this.#rate.take((bytes / this.bytesPerSecond) * 1000, BYTES_BURST_MS, nowMs);
  }
}

/** The maximum parts at the same time to which a rate gives enough bytes. */
export function mostPartsUnder(bytesPerSecond: number): number {
  return Math.max(Math.floor(bytesPerSecond / LEAST_PART_BYTES_PER_SECOND), 1);
}

/** Part of the requests of a minute that can be made immediately after an idle time. */
const BURST_SHARE = 0.05;

/** These are spread over the minute. The rest is for responses that arrive late. */
const STEADY_SHARE = 0.9;

/**
 * Reserves moments for requests, so that no minute has more than the service permits.
 *
 * @param perMinute at least 10
 * @returns milliseconds until each request, ascending
 */
export function reserveRequests(rate: Rate, count: number, perMinute: number, nowMs: number): number[] {
  const intervalMs = 60_000 / (perMinute * STEADY_SHARE);
  const burst = Math.max(1, Math.floor(perMinute * BURST_SHARE));
  return Array.from({ length: count }, () => Math.ceil(rate.take(intervalMs, (burst - 1) * intervalMs, nowMs)));
}
