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

/** A fifth of a session is a reserve for slower times and the completion. */
const USED_FRACTION = 0.8;
const MIN_SPLIT_SIZE_BYTES = 1024 * 1024;

/**
 * The size of a File that one session can upload at a rate: a power of two, so that a slightly different rate has the same
 * size. At least 1 MiB.
 */
export function splitSizeFor(bytesPerSecond: number, sessionMs: number): number {
  const bytes = Math.max((bytesPerSecond * sessionMs * USED_FRACTION) / 1000, MIN_SPLIT_SIZE_BYTES);
  return 2 ** Math.floor(Math.log2(bytes));
}

/** As `splitSizeFor`, for an upload whose session expires too early; undefined for any other. */
export function sufficientSplitSize(pace: SessionPace): number | undefined {
  if (!endsTooEarly(pace)) return undefined;
  const { openedAtMs, endsAtMs, nowMs, bytesDone } = pace;
  return splitSizeFor((bytesDone / (nowMs - openedAtMs)) * 1000, endsAtMs - openedAtMs);
}
