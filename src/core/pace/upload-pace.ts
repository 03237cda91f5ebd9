import type { SplitUploadProgress } from '../../contracts/split.ts';
import type { UploadProgress } from '../../contracts/upload.ts';

export interface UploadPace {
  /** Undefined while it can't be known, and of an upload that sends nothing. */
  readonly bytesPerSecond: number | undefined;
  /** Until the last byte is sent, at that rate. */
  readonly leftMs: number | undefined;
}

/** An average over a shorter time is not reliable. */
const LEAST_MEASURE_MS = 2000;

/**
 * How fast an upload is, and how long it still takes.
 *
 * @param measured bytes a second of the last moments; undefined at the first look, which takes the average so far
 */
export function uploadPace(
  progress: UploadProgress | SplitUploadProgress,
  bytesSent: number,
  measured: number | undefined,
  nowMs: number,
): UploadPace {
  if (progress.state !== 'uploading') return { bytesPerSecond: undefined, leftMs: undefined };
  const bytesPerSecond = measured ?? averageRate(progress, bytesSent, nowMs);
  const leftMs = bytesPerSecond ? ((progress.bytesTotal - bytesSent) / bytesPerSecond) * 1000 : undefined;
  return { bytesPerSecond, leftMs };
}

/** Each piece of a split upload has its own session, and the bytes are those of all pieces. */
function averageRate(
  progress: UploadProgress | SplitUploadProgress,
  bytesSent: number,
  nowMs: number,
): number | undefined {
  const { session, startedAtMs } = progress;
  const sinceMs = 'pieces' in progress || !session ? startedAtMs : session.createdAt * 1000;
  const elapsedMs = nowMs - sinceMs;
  return elapsedMs < LEAST_MEASURE_MS ? undefined : (bytesSent / elapsedMs) * 1000;
}
