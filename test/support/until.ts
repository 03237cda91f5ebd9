import { setTimeout } from 'node:timers/promises';

const MAX_PAUSE_MS = 200;

/** Waits for a condition, for a bounded time. One that asks a server is asked less often the longer it lasts. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let pauseMs = 20;
  for (;;) {
    const isMet = condition();
    if (await isMet) return;
    if (Date.now() > deadline) {
      throw new Error(`waited ${timeoutMs} ms without success for: ${typeof what === 'string' ? what : what()}`);
    }
    await setTimeout(pauseMs);
    if (typeof isMet !== 'boolean') pauseMs = Math.min(pauseMs * 1.2, MAX_PAUSE_MS);
  }
}
