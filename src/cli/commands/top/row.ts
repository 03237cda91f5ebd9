import type { JobEvent } from '../../../client/jobs.ts';
import type { WorkflowSummary } from '../../../client/lists/workflow-summary.ts';
import { uploadPace } from '../../../core/pace/upload-pace.ts';

/** One upload or sync of `longhaul top`, and of its `--json`. */
export interface TopRow {
  readonly workflowId: string;
  /** Of its workflow: `syncSource` for a sync. */
  readonly type: string;
  /** Of a sync: its source's name. */
  readonly filename: string | undefined;
  /** An `UploadState`, of a sync its `SyncState`; `running` where neither a worker nor a search attribute tells more. */
  readonly state: string;
  readonly startedAt: Date;
  readonly bytes: number | undefined;
  /** Bytes of recorded parts; of a sync: of the files that are there. */
  readonly bytesDone: number | undefined;
  /** With those of parts in flight, as far as heartbeats tell. */
  readonly bytesSent: number | undefined;
  /** Of `bytesSent`, 0 to 100. */
  readonly percent: number | undefined;
  /** Undefined for a sync: its uploads have rows of their own. */
  readonly bytesPerSecond: number | undefined;
  readonly leftMs: number | undefined;
  /** Why it waits, or what goes wrong. */
  readonly trouble: string | undefined;
  /** Who told this: a worker, or only Temporal's search attributes. */
  readonly from: 'worker' | 'search-attributes';
}

export type ProgressEvent = JobEvent & { readonly type: 'progress' };

/** @param measured bytes per second of the last moments; undefined at the first look */
export function rowOfProgress(
  { workflowId, type, startedAt, ...summary }: WorkflowSummary,
  { progress, bytesSent, trouble, unpolled }: ProgressEvent,
  measured: number | undefined,
  nowMs: number,
): TopRow {
  const { state, filename, bytesTotal, bytesDone, waiting } = progress;
  const isSync = progress.kind === 'sync';
  // The uploads of a sync have their own rows, and the totals include each rate once.
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

const ENDS_TOO_EARLY = 'at this pace the session ends before the file is through';

/** Where no worker answers. */
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
    trouble: reason ?? (endsTooEarly ? ENDS_TOO_EARLY : 'no worker answers'),
    from: 'search-attributes',
  };
}
