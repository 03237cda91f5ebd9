import type { VirtualClock, VirtualTimer } from './clock.ts';

/** Minimum interval of the SDK's heartbeats without a timeout, or with a long timeout. */
const MAX_THROTTLE_MS = 60_000;

/** Sends the first heartbeat immediately, and later ones as often as the SDK does. */
export class Heartbeats {
  readonly #clock: VirtualClock;
  readonly #throttleMs: number;
  readonly #send: (details: unknown) => void;
  #nextAtMs = 0;
  #pending: VirtualTimer | undefined;
  /** The newest details, sent or not: the end of an attempt sends them. */
  last: unknown;

  constructor(clock: VirtualClock, timeoutMs: number | undefined, send: (details: unknown) => void) {
    this.#clock = clock;
    this.#throttleMs = Math.min((timeoutMs ?? 37_500) * 0.8, MAX_THROTTLE_MS);
    this.#send = send;
  }

  beat(details: unknown): void {
    this.last = details;
    if (this.#pending) return;
    const waitMs = Math.max(0, this.#nextAtMs - this.#clock.nowMs);
    this.#pending = this.#clock.after(waitMs, () => {
      this.#pending = undefined;
      this.#nextAtMs = this.#clock.nowMs + this.#throttleMs;
      this.#send(this.last);
    });
  }
}
