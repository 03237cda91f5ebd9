import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { PieceProgress, SplitUploadProgress, SplitUploadResult } from '../../contracts/split.ts';
import type { SyncProgress, SyncResult } from '../../contracts/sync.ts';
import type { UploadProgress, UploadResult, UploadState } from '../../contracts/upload.ts';
import { LonghaulError } from '../../errors.ts';
import { toWorkflowSummary } from '../lists/workflow-summary.ts';

type AnyUploadResult = UploadResult | SplitUploadResult;

/** How an upload or a sync closed. Temporal's history contains it, so that no worker is needed. */
export interface Ended<Result = AnyUploadResult | SyncResult> {
  readonly workflowId: string;
  /** Temporal's: COMPLETED, FAILED, CANCELLED, TERMINATED, TIMED_OUT. */
  readonly status: string;
  readonly result?: Result;
  readonly error?: LonghaulError;
}

/** @throws StrangeWorkflowError if the workflow is not Longhaul's */
export async function readEnd<Result>(
  handle: { readonly workflowId: string; result(options: { readonly signal?: AbortSignal }): Promise<Result> },
  status: string,
  signal?: AbortSignal,
): Promise<Ended<Result>> {
  const { workflowId } = handle;
  try {
    return { workflowId, status, result: await handle.result(signal ? { signal } : {}) };
  } catch (error) {
    if (status === 'COMPLETED' || !(error instanceof LonghaulError)) throw error;
    return { workflowId, status, error };
  }
}

/** What nothing in Temporal tells of an upload that has closed, or what it no longer has. */
const noLongerKnown = {
  partsInFlight: 0,
  concurrency: 0,
  limit: null,
  session: null,
  sessionEndsTooEarly: false,
  waiting: null,
} as const;

/**
 * The progress of an upload that has closed. Of one without a File, the counts are those of its search attributes.
 *
 * @param filename that the whole has or would have
 */
export function progressOfEnd(
  description: WorkflowExecutionDescription,
  { result, error }: Ended<AnyUploadResult>,
  filename: string,
): UploadProgress | SplitUploadProgress {
  if (result !== undefined) return completedProgress(description, result, filename);
  const summary = toWorkflowSummary(description);
  const progress: UploadProgress = {
    ...noLongerKnown,
    kind: 'upload',
    state: summary.state as UploadState,
    filename,
    bytesTotal: summary.bytes ?? 0,
    bytesDone: summary.bytesDone ?? 0,
    partSizeBytes: 0,
    partsTotal: 0,
    partsDone: 0,
    sessionsOpened: 0,
    orphanedSessions: 0,
    md5: null,
    startedAtMs: description.startTime.getTime(),
  };
  const { pieces } = (error ?? {}) as { readonly pieces?: readonly PieceProgress[] };
  return pieces ? { ...progress, kind: 'split', pieces } : progress;
}

function completedProgress(
  { startTime, closeTime }: WorkflowExecutionDescription,
  result: AnyUploadResult,
  filename: string,
): UploadProgress | SplitUploadProgress {
  const receipts = 'files' in result ? result.pieces : [result];
  const sum = (of: (receipt: UploadResult) => number) => receipts.reduce((total, receipt) => total + of(receipt), 0);
  const progress: UploadProgress = {
    ...noLongerKnown,
    kind: 'upload',
    state: 'completed',
    filename,
    bytesTotal: result.bytes,
    bytesDone: result.bytes,
    partSizeBytes: receipts[0]?.partSizeBytes ?? 0,
    partsTotal: sum(({ parts }) => parts),
    partsDone: sum(({ parts }) => parts),
    sessionsOpened: sum(({ sessions }) => sessions),
    orphanedSessions: sum(({ orphanedSessions }) => orphanedSessions ?? 0),
    md5: 'files' in result ? null : result.md5,
    // An upload that was continued as new started earlier than its last execution.
    startedAtMs: closeTime ? closeTime.getTime() - result.durationMs : startTime.getTime(),
  };
  return 'files' in result ? { ...progress, kind: 'split', pieces: completedPieces(result) } : progress;
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

/** The progress of a completed sync, and the bytes that it sent. */
export function progressOfSync(
  description: WorkflowExecutionDescription,
  { counts, durationMs }: SyncResult,
): SyncProgress & { readonly bytesSent: number } {
  const { startTime, closeTime } = description;
  return {
    kind: 'sync',
    state: 'completed',
    filename: toWorkflowSummary(description).filename ?? '',
    bytesTotal: counts.toSend.bytes,
    bytesDone: counts.sent.bytes,
    partsInFlight: 0,
    waiting: null,
    startedAtMs: closeTime ? closeTime.getTime() - durationMs : startTime.getTime(),
    counts,
    uploading: [],
    bytesSent: counts.sent.bytes,
  };
}
