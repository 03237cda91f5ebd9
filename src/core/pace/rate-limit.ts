/** What may go at once after a rest. */
const BURST_MS = 100;

/** Slower parts would take longer than they may (see `partTimeoutMs`). */
const LEAST_PART_BYTES_PER_SECOND = 128 * 1024;

/** The least that a limit may be. */
export const MIN_LIMIT_BYTES_PER_SECOND = LEAST_PART_BYTES_PER_SECOND;

/** Shares a number of bytes a second out, in the order in which they are asked for. It knows no clock and no timer. */
export class RateLimit {
  /** Undefined: no limit. May be changed at any time; what was granted before stays granted. */
  bytesPerSecond: number | undefined;
  #freeAtMs = -Infinity;

  constructor(bytesPerSecond?: number) {
    this.bytesPerSecond = bytesPerSecond;
  }

  /** Grants the bytes. @returns after how many milliseconds they may go */
  take(bytes: number, nowMs: number): number {
    if (this.bytesPerSecond === undefined) return 0;
    const startMs = Math.max(this.#freeAtMs, nowMs - BURST_MS);
    this.#freeAtMs = startMs + (bytes / this.bytesPerSecond) * 1000;
    return Math.max(startMs - nowMs, 0);
  }
}

/** How many parts at a time a limit can feed without letting them starve. */
export function mostPartsUnder(bytesPerSecond: number): number {
  return Math.max(Math.floor(bytesPerSecond / LEAST_PART_BYTES_PER_SECOND), 1);
}
