/** What is known of a session and the pace of its parts. Times are Unix milliseconds. */
export interface SessionPace {
  readonly openedAtMs: number;
  /** When the session ends by itself. */
  readonly endsAtMs: number;
  readonly nowMs: number;
  /** Bytes recorded in this session, and those that are still to come. */
  readonly bytesDone: number;
  readonly bytesLeft: number;
}

/** A rate that was measured over less than this says nothing. */
const LEAST_MEASURE_MS = 30_000;

/** When the last part will be there at the pace so far; undefined while it can't be known. */
export function expectedEndMs({ openedAtMs, nowMs, bytesDone, bytesLeft }: SessionPace): number | undefined {
  const elapsedMs = nowMs - openedAtMs;
  if (bytesDone === 0 || elapsedMs < LEAST_MEASURE_MS) return undefined;
  return nowMs + (bytesLeft / bytesDone) * elapsedMs;
}

/** Whether the session will end before the file is through: time to say so, while somebody can still do something. */
export function endsTooEarly(pace: SessionPace): boolean {
  const expected = expectedEndMs(pace);
  return expected !== undefined && expected > pace.endsAtMs;
}
