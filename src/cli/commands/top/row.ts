import type { JobEvent } from '../../../client/jobs.ts';
import type { WorkflowSummary } from '../../../client/lists/workflow-summary.ts';
import { uploadPace } from '../../../core/pace/upload-pace.ts';

/** One upload or sync of `longhaul top`, and of its `--json`. */
export interface TopRow {
  readonly workflowId: string;
  /** Type of its workflow: `syncSource` for a sync. */
  readonly type: string;
  /** For a sync, the name of its source. */
  readonly filename: string | undefined;
  /** An `UploadState` or `SyncState`; `running` if neither a worker nor a search attribute has the state. */
  readonly state: string;
  readonly startedAt: Date;
  readonly bytes: number | undefined;
  /** Bytes of recorded parts; for a sync, of uploaded files. */
  readonly bytesDone: number | undefined;
  /** `bytesDone` and the bytes of parts in flight, according to their heartbeats. */
  readonly bytesSent: number | undefined;
  /** `bytesSent` in percent of `bytes`, 0 to 100. */
  readonly percent: number | undefined;
  /** Undefined for a sync, whose uploads have separate rows. */
  readonly bytesPerSecond: number | undefined;
  readonly leftMs: number | undefined;
  /** Reason for which it waits, or its last error. */
  readonly trouble: string | undefined;
  /** Origin of the row: a response of a worker, or only Temporal's search attributes. */
  readonly from: 'worker' | 'search-attributes';
}

export type ProgressEvent = JobEvent & { readonly type: 'progress' };

/** @param measured bytes per second of the last seconds; undefined in the first table */
export function rowOfProgress(
  { workflowId, type, startedAt, ...summary }: WorkflowSummary,
  { progress, bytesSent, trouble, unpolled }: ProgressEvent,
  measured: number | undefined,
  nowMs: number,
): TopRow {
  const { state, filename, bytesTotal, bytesDone, waiting } = progress;
  const isSync = progress.kind === 'sync';
  // The uploads of a sync have separate rows. The totals must include each rate only once.
  const pace = isSync ? undefined : uploadPace(progress, bytesSent, measured, nowMs);
  const tooEarly = !isSync && progress.sessionEndsTooEarly ? ENDS_TOO_EARLY : undefined;
  const failed = isSync && progress.counts.failed > 0 ? `${progress.counts.failed} failed` : undefined;
  return {
    workflowId,
    type,
    filename: filename || summary.filename,
    state,
    startedAt,
    bytes: bytesTotal || undefined,
    bytesDone,
    bytesSent,
    percent: bytesTotal > 0 ? (bytesSent / bytesTotal) * 100 : undefined,
    bytesPerSecond: pace?.bytesPerSecond,
    leftMs: pace?.leftMs,
    trouble: unpolled?.reason ?? waiting?.reason ?? tooEarly ?? failed ?? trouble?.message,
    from: 'worker',
  };
}

const ENDS_TOO_EARLY = 'at this rate, the session expires before the file is complete';

/** Returns the row of an upload or sync if no worker responds. */
export function rowOfSummary(summary: WorkflowSummary): TopRow {
  const { workflowId, type, filename, state, startedAt, bytes, bytesDone, percent, reason, endsTooEarly } = summary;
  return {
    workflowId,
    type,
    filename,
    state: state ?? 'running',
    startedAt,
    bytes,
    bytesDone,
    bytesSent: bytesDone,
    percent: percent ?? (bytes && bytesDone !== undefined ? (bytesDone / bytes) * 100 : undefined),
    bytesPerSecond: undefined,
    leftMs: undefined,
    trouble: reason ?? (endsTooEarly ? ENDS_TOO_EARLY : 'no worker responds'),
    from: 'search-attributes',
  };
}
