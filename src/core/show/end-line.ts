import type { FailureDetails } from '../../contracts/failures.ts';
import type { SplitUploadProgress } from '../../contracts/split.ts';
import type { SyncProgress } from '../../contracts/sync.ts';
import type { UploadProgress } from '../../contracts/upload.ts';
import { withoutUndefined } from '../objects.ts';
import { formatBytes, formatCount, formatDuration } from '../text/format.ts';
import { describeCounts } from './describe-sync.ts';

/** A line of the worker's log: text for an operator, and the same facts for programs. */
export interface EndLine {
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

/** How a workflow ended. */
export type End =
  | { readonly state: 'completed'; readonly fileIds: readonly string[] }
  | { readonly state: 'cancelled' }
  | {
      readonly state: 'failed';
      /** One of `FailureType`. */
      readonly failureType: string;
      readonly reason: string;
      readonly details?: Pick<FailureDetails, 'status' | 'requestId'> | undefined;
    };

/** Properties of an upload that its line shows. Those of a request that was rejected are unknown. */
export type EndedUpload = Pick<UploadProgress, 'filename' | 'bytesTotal' | 'bytesDone' | 'startedAtMs'> &
  Partial<Pick<UploadProgress, 'session'> & Pick<SplitUploadProgress, 'pieces'>>;

/** Progress of any job. */
export type JobProgress = UploadProgress | SplitUploadProgress | SyncProgress;

/** The line of a job that ended. */
export function endLine(end: End, progress: JobProgress, nowMs: number): EndLine {
  return progress.kind === 'sync' ? syncEndLine(end, progress, nowMs) : uploadEndLine(end, progress, nowMs);
}

/** The line of an upload that ended: state, file name, bytes, duration, rate, and File ID or reason. */
export function uploadEndLine(end: End, upload: EndedUpload, nowMs: number): EndLine {
  const { filename, bytesTotal, bytesDone, startedAtMs, session } = upload;
  const durationMs = nowMs - startedAtMs;
  const fields = {
    state: end.state,
    filename,
    bytes: bytesTotal,
    bytesDone,
    durationMs,
    ...(session ? { uploadId: session.uploadId } : {}),
  };
  if (end.state === 'completed') {
    const bytesPerSecond = Math.round(bytesTotal / Math.max(durationMs / 1000, 0.001));
    const size = `${formatBytes(bytesTotal)} in ${formatDuration(durationMs)} (${formatBytes(bytesPerSecond)}/s)`;
    const { fileIds } = end;
    const [fileId = ''] = fileIds;
    const isSplit = upload.pieces !== undefined;
    return {
      message: `upload completed: ${[filename, size, isSplit ? formatCount(fileIds.length, 'File') : fileId].join(' · ')}`,
      fields: { ...fields, bytesPerSecond, ...(isSplit ? { files: fileIds.length } : { fileId }) },
    };
  }
  const took = `after ${formatDuration(durationMs)}`;
  const sent = bytesTotal > 0 ? `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)} recorded ${took}` : took;
  return withReason(end, `upload ${end.state}: ${[filename, sent].filter(Boolean).join(' · ')}`, fields);
}

/** The line of a sync that ended: state, folder or bucket, counts, duration, and the reason of a failure. */
export function syncEndLine(end: End, progress: SyncProgress, nowMs: number): EndLine {
  const { filename: source, counts, startedAtMs } = progress;
  const durationMs = nowMs - startedAtMs;
  const { sent, same, knownContent, failed, leftOut, deleted } = counts;
  const message = `sync ${end.state}: ${source} · ${describeCounts(counts)} · ${formatDuration(durationMs)}`;
  return withReason(end, message, {
    state: end.state,
    source,
    files: sent.files,
    bytes: sent.bytes,
    same: same + knownContent,
    failed,
    leftOut,
    deleted,
    durationMs,
  });
}

function withReason(end: End, message: string, fields: EndLine['fields']): EndLine {
  if (end.state !== 'failed') return { message, fields };
  const { failureType, reason, details } = end;
  const { status, requestId } = details ?? {};
  return {
    message: `${message} · ${failureType}: ${reason}`,
    fields: { ...fields, ...withoutUndefined({ failureType, status, requestId, reason }) },
  };
}
