import type { JobEvent, JobProgress } from '../../client/jobs.ts';
import { formatBytes, optionBytes } from '../../core/text/format.ts';
import { splitSizeFor } from '../../core/upload/outlook.ts';

/** At the start, the system buffers megabytes of each part, which look sent. Heartbeats report them some seconds later. */
const BUFFERING_MS = 12_000;
/** Minimum time of a usable measurement. */
const LEAST_MEASURE_MS = 10_000;

interface Measurement {
  readonly uploadId: string;
  readonly firstMs: number;
  /** After the buffers were filled. */
  start?: { readonly atMs: number; readonly bytes: number };
  advice?: { readonly splitSizeBytes: number; readonly line: string };
}

/**
 * Measures the rate of sessions by the bytes of parts in flight. The workflow has only the bytes of complete parts, of which
 * a slow link has none for a long time.
 */
export class SessionOutlook {
  readonly #measured = new Map<string, Measurement>();

  /**
   * Returns a line if the session of an upload will expire before the upload is complete. It stays the same for the session,
   * unless a smaller size is necessary.
   */
  advise(name: string, event: JobEvent, nowMs: number = Date.now()): string | undefined {
    if (event.type !== 'progress') return undefined;
    const { progress, bytesSent } = event;
    if (progress.kind === 'sync' || !progress.session || progress.state !== 'uploading') {
      this.#measured.delete(name);
      return undefined;
    }
    const { uploadId, createdAt, expiresAt } = progress.session;
    let measured = this.#measured.get(name);
    if (measured?.uploadId !== uploadId) {
      // The bytes that were sent before the first event have no time.
      if (bytesSent <= 0) return undefined;
      measured = { uploadId, firstMs: nowMs };
      this.#measured.set(name, measured);
    }
    if (nowMs - measured.firstMs < BUFFERING_MS) return undefined;
    measured.start ??= { atMs: nowMs, bytes: bytesSent };
    const elapsedMs = nowMs - measured.start.atMs;
    const bytesPerSecond = ((bytesSent - measured.start.bytes) / elapsedMs) * 1000;
    if (elapsedMs < LEAST_MEASURE_MS || bytesPerSecond <= 0) return measured.advice?.line;
    const leftMs = ((totalOf(progress) - bytesSent) / bytesPerSecond) * 1000;
    if (nowMs + leftMs <= expiresAt * 1000) return measured.advice?.line;
    const splitSizeBytes = splitSizeFor(bytesPerSecond, (expiresAt - createdAt) * 1000);
    if (!measured.advice || splitSizeBytes < measured.advice.splitSizeBytes) {
      measured.advice = { splitSizeBytes, line: adviceOf(splitSizeBytes, bytesPerSecond) };
    }
    return measured.advice.line;
  }
}

function adviceOf(splitSizeBytes: number, bytesPerSecond: number): string {
  return (
    `at this rate (${formatBytes(bytesPerSecond)}/s), the session expires before the file is complete. ` +
    `If it is a JSONL file, cancel this upload and use --split-size ${optionBytes(splitSizeBytes)}.`
  );
}

/** Bytes up to the end of the File that the session creates. */
function totalOf(progress: JobProgress<'upload' | 'split'>): number {
  if (progress.kind !== 'split') return progress.bytesTotal;
  return progress.pieces.reduce(
    (sum, { state, range }) => sum + (state === 'completed' || state === 'uploading' ? range.sizeBytes : 0),
    0,
  );
}
