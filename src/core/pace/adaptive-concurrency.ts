/** Maximum parts in flight, if it is not set. */
export const AutoConcurrency = { floor: 1, start: 8, ceiling: 32 } as const;

/** Bytes that the buffers of a new connection accept immediately do not count as throughput. */
const SETTLE_MS = 500;
const LEAST_STRETCH_MS = 1500;
const MOST_STRETCH_MS = 6000;
/** Bytes are sent in chunks of 0.5 MiB. Fewer chunks than this are not sufficient for a rate. */
const LEAST_STRETCH_BYTES = 16 * 1024 * 1024;
/** A smaller gain is noise, and connections cost memory. */
const WORTHWHILE_GAIN = 1.08;
const FIRST_HOLD_MS = 20_000;
const LONGEST_HOLD_MS = 300_000;
/** One overload makes many parts fail, but counts as one reason to reduce the number. */
const CUT_INTERVAL_MS = 1000;
/** If responses take longer than the fastest ones by this factor, the service has a queue. */
const LATE_FACTOR = 3;
const LATE_MS = 1000;
/** Minimum delay of a slow response. */
const LEAST_WHEN_LATE = 4;
/** Time after which the fastest response is measured again. */
const FORGETTING = 1.05;

export interface ConcurrencyBounds {
  readonly floor: number;
  readonly start: number;
  readonly ceiling: number;
}

interface Level {
  readonly limit: number;
  readonly bytesPerMs: number;
}

/**
 * Finds the best number of parts in flight for a destination. It increases the number while the throughput increases. It
 * halves the number after a 429, a 503 or a timeout, and then increases it by one. If responses become slow without a gain
 * in throughput, it reduces the number by a quarter. It has no clock and no timer: callers pass the time.
 */
export class AdaptiveConcurrency {
  readonly #bounds: ConcurrencyBounds;
  #limit: number;
  /** The level that the present one is compared with, while it is on trial. */
  #base: Level | undefined;
  #stretch: Stretch | undefined;
  #nextTrialAtMs = 0;
  #holdMs = FIRST_HOLD_MS;
  #lastCutAtMs = -Infinity;
  /** Up to here growth needs no proof: it was there before a refusal. */
  #recoverTo = 0;
  #calmMs = Infinity;

  constructor(bounds: ConcurrencyBounds = AutoConcurrency) {
    this.#bounds = bounds;
    this.#limit = bounds.start;
  }

  get limit(): number {
    return this.#limit;
  }

  /** @param inFlight parts that are being sent, this one included */
  sent(bytes: number, inFlight: number, nowMs: number): void {
    const stretch = (this.#stretch ??= new Stretch(nowMs + SETTLE_MS));
    stretch.add(bytes, inFlight >= this.#limit, nowMs);
    if (!stretch.isOver(nowMs)) return;
    this.#stretch = undefined;
    // With fewer parts than permitted, the effect of more parts is unknown.
    if (stretch.isFull) this.#judge({ limit: this.#limit, bytesPerMs: stretch.bytesPerMs(nowMs) }, stretch, nowMs);
  }

  /** @param waitMs from the last byte to the answer */
  answered(waitMs: number): void {
    this.#stretch?.answered(waitMs);
  }

  /** The destination has too much to do: 429, 503, or it took too long. */
  refused(nowMs: number): void {
    if (nowMs - this.#lastCutAtMs < CUT_INTERVAL_MS) return;
    this.#lastCutAtMs = nowMs;
    this.#recoverTo = this.#limit - 1;
    this.#change(Math.floor(this.#limit / 2));
    this.#base = undefined;
    this.#postponeTrial(nowMs);
  }

  #judge(level: Level, { meanWaitMs }: Stretch, nowMs: number): void {
    const base = this.#base;
    this.#base = undefined;
    if (base) {
      if (level.bytesPerMs >= base.bytesPerMs * WORTHWHILE_GAIN) this.#holdMs = FIRST_HOLD_MS;
      else {
        this.#change(base.limit);
        this.#postponeTrial(nowMs);
        return;
      }
    } else if (this.#isLate(meanWaitMs)) {
      this.#change(Math.max(Math.floor(this.#limit * 0.75), Math.min(this.#limit, LEAST_WHEN_LATE)));
      this.#postponeTrial(nowMs);
      return;
    }
    if (this.#limit < this.#recoverTo) this.#change(this.#limit + 1);
    else if (nowMs >= this.#nextTrialAtMs && this.#limit < this.#bounds.ceiling) {
      this.#base = level;
      this.#change(this.#limit * 2);
    }
  }

  #postponeTrial(nowMs: number): void {
    this.#nextTrialAtMs = nowMs + this.#holdMs;
    this.#holdMs = Math.min(this.#holdMs * 2, LONGEST_HOLD_MS);
  }

  #isLate(meanWaitMs: number | undefined): boolean {
    if (meanWaitMs === undefined) return false;
    const calmMs = Math.min(this.#calmMs * FORGETTING, meanWaitMs);
    this.#calmMs = calmMs;
    return meanWaitMs > calmMs * LATE_FACTOR && meanWaitMs - calmMs > LATE_MS;
  }

  #change(limit: number): void {
    this.#limit = Math.min(Math.max(limit, this.#bounds.floor), this.#bounds.ceiling);
    this.#stretch = undefined;
  }
}

/** What was sent in a stretch of time at one level. */
class Stretch {
  readonly #fromMs: number;
  #bytes = 0;
  #chunks = 0;
  #fullChunks = 0;
  #waits = 0;
  #waitMs = 0;

  constructor(fromMs: number) {
    this.#fromMs = fromMs;
  }

  add(bytes: number, isFull: boolean, nowMs: number): void {
    if (nowMs < this.#fromMs) return;
    this.#bytes += bytes;
    this.#chunks++;
    if (isFull) this.#fullChunks++;
  }

  answered(waitMs: number): void {
    this.#waits++;
    this.#waitMs += waitMs;
  }

  isOver(nowMs: number): boolean {
    const lastedMs = nowMs - this.#fromMs;
    return lastedMs >= MOST_STRETCH_MS || (lastedMs >= LEAST_STRETCH_MS && this.#bytes >= LEAST_STRETCH_BYTES);
  }

  /** There are gaps between one part and the next. */
  get isFull(): boolean {
    return this.#fullChunks * 2 >= this.#chunks;
  }

  get meanWaitMs(): number | undefined {
    return this.#waits === 0 ? undefined : this.#waitMs / this.#waits;
  }

  bytesPerMs(nowMs: number): number {
    return this.#bytes / (nowMs - this.#fromMs);
  }
}
