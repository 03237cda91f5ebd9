import type { SplitUploadProgress } from '../../contracts/split.ts';
import type { UploadProgress } from '../../contracts/upload.ts';

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

  /** @param bytes total so far; a lower total (a session was replaced) restarts the measurement */
  add(bytes: number, atMs: number): void {
    if (bytes < (this.#samples.at(-1)?.bytes ?? 0)) this.#samples = [];
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

export interface UploadPace {
  /** Undefined while it can't be known, and of an upload that sends nothing. */
  readonly bytesPerSecond: number | undefined;
  /** Until the last byte is sent, at that rate. */
  readonly leftMs: number | undefined;
}

/** An average over less than this says nothing. */
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
