import { formatBytes, formatDuration } from '../../../core/text/format.ts';
import { isSync } from '../../../client/lists/workflow-summary.ts';
import { formatTable, type Column } from '../../text/table.ts';
import type { TopRow } from './row.ts';

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

/** States of the running uploads and syncs. */
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
  { header: 'DONE', text: ({ percent }) => (percent === undefined ? '' : `${Math.floor(percent)} %`), align: 'right' },
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
