import type { UnpolledQueue } from '../client/unpolled-queue.ts';
import type { WaitingInfo } from '../contracts/upload.ts';

/** What an upload or a sync waits for, in words for who watches it; undefined when it doesn't wait. */
export function describeWait(waiting: WaitingInfo | null): string | undefined {
  return waiting ? `waits: ${waiting.reason}; it goes on by itself, and at once with "longhaul retry"` : undefined;
}

const NOBODY_ANSWERS = 'waiting for a worker or for Temporal to answer';

interface WaitingEvent {
  readonly type: string;
  readonly unpolled?: UnpolledQueue;
  readonly progress?: { readonly waiting: WaitingInfo | null };
}

/** Returns what must be done before an upload or a sync continues; undefined if nothing must. */
export function waitOf({ unpolled, progress }: WaitingEvent): string | undefined {
  return unpolled ? unpolled.reason : describeWait(progress?.waiting ?? null);
}

/** As `waitOf`, and if nothing responds. */
export function waitOrSilenceOf(event: WaitingEvent): string | undefined {
  return waitOf(event) ?? (event.type === 'no-answer' ? NOBODY_ANSWERS : undefined);
}
