/** Maximum burst after a pause. It is short, so that the rate is steady. */
const BURST_MS = 20;

/** Timers are limited to some weeks. A very slow connection checks again. */
const MAX_WAIT_MS = 60_000;

interface Waiter {
  readonly sizeBytes: number;
  readonly resolve: () => void;
}

/**
 * One token bucket for all incoming bodies, first in, first out. A chunk passes if the bucket is not negative, and can make
 * it negative, so the average rate is exact for chunks of any size.
 */
export class Bandwidth {
  #bytesPerSecond: number | null;
  #tokensBytes = 0;
  #refilledAtMs = performance.now();
  #timer: NodeJS.Timeout | undefined;
  readonly #queue: Waiter[] = [];

  /** @param bytesPerSecond null for no limit */
  constructor(bytesPerSecond: number | null) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  get bytesPerSecond(): number | null {
    return this.#bytesPerSecond;
  }

  /** Takes effect immediately, also for waiting requests. */
  set bytesPerSecond(value: number | null) {
    this.#refill();
    this.#bytesPerSecond = value;
    this.#tokensBytes = Math.min(this.#tokensBytes, 0);
    this.#serve();
  }

  /** Resolves when `sizeBytes` can pass; undefined (no wait) without a limit. */
  take(sizeBytes: number): Promise<void> | undefined {
    if (this.#bytesPerSecond === null) return undefined;
    return new Promise((resolve) => {
      this.#queue.push({ sizeBytes, resolve });
      this.#serve();
    });
  }

  /** Releases all requests when the server stops. */
  close(): void {
    this.bytesPerSecond = null;
  }

  #refill(): void {
    const nowMs = performance.now();
    if (this.#bytesPerSecond !== null) {
      const gained = ((nowMs - this.#refilledAtMs) / 1000) * this.#bytesPerSecond;
      this.#tokensBytes = Math.min(this.#tokensBytes + gained, (this.#bytesPerSecond * BURST_MS) / 1000);
    }
    this.#refilledAtMs = nowMs;
  }

  #serve(): void {
    clearTimeout(this.#timer);
    this.#refill();
    while (this.#bytesPerSecond === null || this.#tokensBytes >= 0) {
      const waiter = this.#queue.shift();
      if (waiter === undefined) return;
      this.#tokensBytes = this.#bytesPerSecond === null ? 0 : this.#tokensBytes - waiter.sizeBytes;
      waiter.resolve();
    }
    if (this.#queue.length === 0) return;
    const waitMs = Math.min(Math.ceil((-this.#tokensBytes / this.#bytesPerSecond) * 1000), MAX_WAIT_MS);
    this.#timer = setTimeout(() => this.#serve(), waitMs);
  }
}
