/** A session and the rate of its parts. Times are Unix milliseconds. */
export interface SessionPace {
  readonly openedAtMs: number;
  /** Time at which the session expires. */
  readonly endsAtMs: number;
  readonly nowMs: number;
  /** Bytes recorded in this session, and bytes still to be sent. */
  readonly bytesDone: number;
  readonly bytesLeft: number;
}

/** Minimum time of a usable measurement. */
const LEAST_MEASURE_MS = 30_000;

/** Time at which the last part will be recorded at the current rate; undefined if unknown. */
export function expectedEndMs({ openedAtMs, nowMs, bytesDone, bytesLeft }: SessionPace): number | undefined {
  const elapsedMs = nowMs - openedAtMs;
  if (bytesDone === 0 || elapsedMs < LEAST_MEASURE_MS) return undefined;
  return nowMs + (bytesLeft / bytesDone) * elapsedMs;
}

/** Whether the session will expire before the file is complete, so that an operator is warned in time. */
export function endsTooEarly(pace: SessionPace): boolean {
  const expected = expectedEndMs(pace);
  return expected !== undefined && expected > pace.endsAtMs;
}
