import { setImmediate } from 'node:timers/promises';

/** Work on the event loop lasts no longer than this before other work gets its turn. */
const LONGEST_MS = 20;

/** Keeps a long loop from blocking the event loop: heartbeats and health checks go on beside it. */
export class Breather {
  #sinceMs = performance.now();

  async breathe(): Promise<void> {
    if (performance.now() - this.#sinceMs < LONGEST_MS) return;
    await setImmediate();
    this.#sinceMs = performance.now();
  }
}
