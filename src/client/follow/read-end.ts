import type { WorkflowExecutionDescription } from '@temporalio/client';
import { WorkflowName } from '../../contracts/names.ts';
import type { PieceProgress, SplitUploadResult } from '../../contracts/split.ts';
import type { SyncResult } from '../../contracts/sync.ts';
import type { UploadResult, UploadState } from '../../contracts/upload.ts';
import { LonghaulError } from '../../errors.ts';
import type { JobProgress, JobResult } from '../jobs.ts';
import { isSync, toWorkflowSummary } from '../lists/list-uploads.ts';

/** Result or failure of a closed job. Temporal's history contains it, so no worker is needed. */
export interface Ended {
  readonly workflowId: string;
  /** Status in Temporal: COMPLETED, FAILED, CANCELLED, TERMINATED, TIMED_OUT. */
  readonly status: string;
  readonly result?: JobResult;
  readonly error?: LonghaulError;
}

/** @throws StrangeWorkflowError if the workflow is not Longhaul's */
export async function readEnd(
  handle: { readonly workflowId: string; result(options: { readonly signal?: AbortSignal }): Promise<JobResult> },
  status: string,
  signal?: AbortSignal,
): Promise<Ended> {
  const { workflowId } = handle;
  try {
    return { workflowId, status, result: await handle.result({ signal }) };
  } catch (error) {
    if (status === 'COMPLETED' || !(error instanceof LonghaulError)) throw error;
    return { workflowId, status, error };
  }
}

/** Properties that Temporal does not store for a closed upload, or that a closed upload does not have. */
const noLongerKnown = {
  partSizeBytes: 0,
  partsTotal: 0,
  partsDone: 0,
  concurrency: 0,
  limit: null,
  session: null,
  sessionEndsTooEarly: false,
  sessionsOpened: 0,
  orphanedSessions: 0,
  md5: null,
} as const;

const atRest = { partsInFlight: 0, waiting: null } as const;

/**
 * Returns the progress of a closed job. For an upload without a File, the counts are those of its search attributes.
 *
 * @param nameOfRequest name that the File would have; of a sync, that of its folder or bucket
 * @returns undefined for a sync without a result, because only its workflow has the counts
 */
export async function progressOfEnd(
  description: WorkflowExecutionDescription,
  { result, error }: Ended,
  nameOfRequest: () => Promise<string>,
): Promise<JobProgress | undefined> {
  const { startTime, closeTime } = description;
  const summary = toWorkflowSummary(description);
  const { bytes: bytesTotal = 0, bytesDone = 0 } = summary;
  // A job that was continued as new started earlier than its last execution.
  const startedAtMs = result && closeTime ? closeTime.getTime() - result.durationMs : startTime.getTime();
  if (isSync(summary) && !result) return undefined;
  const filename = result && 'file' in result ? result.file.filename : (summary.filename ?? (await nameOfRequest()));
  if (result && 'counts' in result) return syncProgress(result, filename, startedAtMs);
  if (result) return uploadProgress(result, filename, startedAtMs);
  const state = summary.state as UploadState;
  const head = { state, filename, bytesTotal, bytesDone, ...atRest, startedAtMs };
  // A split upload that ended before its plan has no pieces.
  const none = description.type === WorkflowName.uploadSplitFile ? [] : undefined;
  const { pieces = none } = (error ?? {}) as { readonly pieces?: readonly PieceProgress[] };
  return pieces ? { kind: 'split', ...head, ...noLongerKnown, pieces } : { kind: 'upload', ...head, ...noLongerKnown };
}

function syncProgress({ counts }: SyncResult, filename: string, startedAtMs: number): JobProgress {
  return {
    kind: 'sync',
    state: 'completed',
    filename,
    bytesTotal: counts.toSend.bytes,
    bytesDone: counts.sent.bytes,
    ...atRest,
    startedAtMs,
    counts,
    uploading: [],
  };
}

function uploadProgress(result: UploadResult | SplitUploadResult, filename: string, startedAtMs: number): JobProgress {
  const receipts = 'files' in result ? result.pieces : [result];
  const sum = (of: (receipt: UploadResult) => number) => receipts.reduce((total, receipt) => total + of(receipt), 0);
  const progress = {
    state: 'completed',
    filename,
    bytesTotal: result.bytes,
    bytesDone: result.bytes,
    ...atRest,
    startedAtMs,
    ...noLongerKnown,
    partSizeBytes: receipts[0]?.partSizeBytes ?? 0,
    partsTotal: sum(({ parts }) => parts),
    partsDone: sum(({ parts }) => parts),
    sessionsOpened: sum(({ sessions }) => sessions),
    orphanedSessions: sum(({ orphanedSessions }) => orphanedSessions ?? 0),
  } as const;
  if ('files' in result) return { kind: 'split', ...progress, pieces: completedPieces(result) };
  return { kind: 'upload', ...progress, md5: result.md5 };
}

function completedPieces({ files, pieces }: SplitUploadResult): PieceProgress[] {
  let offsetBytes = 0;
  return pieces.map(({ workflowId, bytes: sizeBytes }, index) => {
    const { id, filename } = files[index] ?? { id: '', filename: '' };
    const range = { offsetBytes, sizeBytes };
    offsetBytes += sizeBytes;
    return { number: index + 1, filename, workflowId, range, state: 'completed', fileId: id };
  });
}
