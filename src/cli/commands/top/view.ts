import type { JobEvent } from '../../../client/jobs.ts';
import { type WorkflowSummary, isSync } from '../../../client/lists/list-uploads.ts';
import { uploadPace } from '../../../core/pace/upload-pace.ts';
import { formatBytes, formatDuration } from '../../../core/text/format.ts';
import { formatTable, type Column } from '../../text/table.ts';

/** One upload or sync of `longhaul top`, and of its `--json`. */
export interface TopRow extends Pick<
  WorkflowSummary,
  'workflowId' | 'type' | 'filename' | 'startedAt' | 'bytes' | 'bytesDone' | 'percent'
> {
  /** An `UploadState` or `SyncState`; `running` if neither a worker nor a search attribute has the state. */
  readonly state: string;
  /** `bytesDone` and the bytes of parts in flight, according to their heartbeats. */
  readonly bytesSent: number | undefined;
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
  summary: WorkflowSummary,
  { progress, bytesSent, trouble, unpolled, pausedActivity }: ProgressEvent,
  measured: number | undefined,
  nowMs: number,
): TopRow {
  const { state, filename, bytesTotal, bytesDone, waiting } = progress;
  const ofSync = progress.kind === 'sync';
  // The uploads of a sync have separate rows. The totals must include each rate only once.
  const pace = ofSync ? undefined : uploadPace(progress, bytesSent, measured, nowMs);
  const tooEarly = !ofSync && progress.sessionEndsTooEarly ? ENDS_TOO_EARLY : undefined;
  const failed = ofSync && progress.counts.failed > 0 ? `${progress.counts.failed} failed` : undefined;
  return {
    ...rowOfSummary(summary),
    filename: filename || summary.filename,
    state,
    bytes: bytesTotal || undefined,
    bytesDone,
    bytesSent,
    percent: bytesTotal > 0 ? (bytesSent / bytesTotal) * 100 : undefined,
    bytesPerSecond: pace?.bytesPerSecond,
    leftMs: pace?.leftMs,
    trouble: (unpolled ?? pausedActivity ?? waiting)?.reason ?? tooEarly ?? failed ?? trouble?.message,
    from: 'worker',
  };
}

const ENDS_TOO_EARLY = 'at this rate, the session expires before the file is complete';

/**
 * Returns the row of an upload or sync if no worker responds.
 *
 * @param silence reason for which no worker responds. @defaultValue it is unknown
 */
export function rowOfSummary(summary: WorkflowSummary, silence = 'no worker responds'): TopRow {
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
    trouble: reason ?? (endsTooEarly ? ENDS_TOO_EARLY : silence),
    from: 'search-attributes',
  };
}

export type TopSort = 'start' | 'state';

/** States that can need operator action are first. */
const stateOrder = [
  'waiting',
  'paused',
  'running',
  'uploading',
  'deleting',
  'completing',
  'creating',
  'inspecting',
  'listing',
];

/** Sorts rows, oldest first, so that rows keep their place when uploads start. */
export function sortRows<Row extends { readonly state: string | undefined; readonly startedAt: Date }>(
  rows: readonly Row[],
  sort: TopSort,
): Row[] {
  const rank = ({ state }: Row) => (sort === 'state' ? stateOrder.indexOf(state ?? 'running') : 0);
  return rows.toSorted((a, b) => rank(a) - rank(b) || a.startedAt.getTime() - b.startedAt.getTime());
}

/** Returns the lines of the table, headers first. @param width of the terminal; undefined for no limit */
export function describeRows(rows: readonly TopRow[], width?: number): string[] {
  return formatTable(columns, rows, width);
}

export interface RunningStates {
  readonly uploads: readonly (string | undefined)[];
  readonly syncs: readonly (string | undefined)[];
}

/** Returns the totals on one line: `12 uploads: 10 uploading, 2 waiting · 1 sync: 1 uploading · 310 MiB/s`. */
export function describeTotals({ uploads, syncs }: RunningStates, rows: readonly TopRow[], isMore: boolean): string {
  const kinds = [...totalOf(uploads, 'upload', isMore), ...totalOf(syncs, 'sync', isMore)];
  if (kinds.length === 0) return 'no upload or sync is running';
  const rate = rows.reduce((sum, { bytesPerSecond = 0 }) => sum + bytesPerSecond, 0);
  return [...kinds, ...(rate > 0 ? [`${formatBytes(rate)}/s`] : [])].join(' · ');
}

function totalOf(states: readonly (string | undefined)[], kind: string, isMore: boolean): string[] {
  if (states.length === 0) return [];
  const counts = new Map<string, number>();
  for (const state of states) counts.set(state ?? 'running', (counts.get(state ?? 'running') ?? 0) + 1);
  const each = [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
  const all = states.length === 1 && !isMore ? `1 ${kind}` : `${states.length}${isMore ? ' and more' : ''} ${kind}s`;
  return [`${all}: ${each}`];
}

const columns: readonly Column<TopRow>[] = [
  { header: 'STATE', text: ({ state }) => state },
  { header: 'DONE', text: ({ percent }) => (percent === undefined ? '' : `${Math.floor(percent)}%`), align: 'right' },
  {
    header: 'SIZE',
    text: ({ bytes }) => (bytes === undefined ? '' : formatBytes(bytes)),
    align: 'right',
    dropOrder: 3,
  },
  { header: 'RATE', text: ({ bytesPerSecond }) => rateOf(bytesPerSecond), align: 'right', narrowDropOrder: 3 },
  {
    header: 'LEFT',
    text: ({ leftMs }) => (leftMs === undefined ? '' : formatDuration(Math.max(leftMs, 1000))),
    align: 'right',
    narrowDropOrder: 2,
  },
  { header: 'FILE', text: ({ filename }) => filename ?? '', shrinksTo: 12, dropOrder: 4 },
  { header: 'ID', text: ({ workflowId }) => workflowId, shrinksTo: 16 },
  { header: 'TYPE', text: (row) => (isSync(row) ? 'sync' : ''), narrowDropOrder: 4 },
  { header: 'PROBLEM', text: ({ trouble }) => trouble ?? '', shrinksTo: 12, narrowDropOrder: 1 },
];

function rateOf(bytesPerSecond: number | undefined): string {
  return bytesPerSecond === undefined ? '' : `${formatBytes(bytesPerSecond)}/s`;
}
