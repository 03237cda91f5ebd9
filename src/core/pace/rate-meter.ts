interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

/** Bytes per second over the last seconds, so that a stall shows immediately and a burst has little effect. */
export class RateMeter {
  readonly #windowMs: number;
  #samples: Sample[] = [];

  constructor(windowMs = 10_000) {
    this.#windowMs = windowMs;
  }

  /**
   * @param bytes total so far; a lower total (a session was replaced) restarts the measurement, and so does a clock that
   * was set back
   */
  add(bytes: number, atMs: number): void {
    const last = this.#samples.at(-1);
    if (last && (bytes < last.bytes || atMs < last.atMs)) this.#samples = [];
    this.#samples.push({ atMs, bytes });
    // The last sample before the window stays: it is the one the window is measured from.
    while ((this.#samples[1]?.atMs ?? atMs) < atMs - this.#windowMs) this.#samples.shift();
  }

  /** Undefined until two moments are known. */
  get bytesPerSecond(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.atMs <= first.atMs) return undefined;
    return ((last.bytes - first.bytes) / (last.atMs - first.atMs)) * 1000;
  }
}
