import type { WaitingInfo } from '../contracts/upload.ts';

/** What an upload or a sync waits for, in words for who watches it; undefined when it doesn't wait. */
export function describeWait(waiting: WaitingInfo | null): string | undefined {
  return waiting ? `waits: ${waiting.reason}; it goes on by itself, and at once with "longhaul retry"` : undefined;
}

export const NOBODY_ANSWERS = 'waiting for a worker or for Temporal to answer';
