import { RateMeter } from '../../src/core/pace/rate-meter.ts';

const WINDOW_MS = 60_000;

/** The rate of the last minute, by Temporal's clock. */
export class Pace {
  readonly #meter = new RateMeter(WINDOW_MS);

  /** @param bytes total so far */
  measure(bytes: number): { readonly nowMs: number; readonly bytesPerSecond: number | undefined } {
    const nowMs = Date.now();
    this.#meter.add(bytes, nowMs);
    return { nowMs, bytesPerSecond: this.#meter.bytesPerSecond };
  }
}
