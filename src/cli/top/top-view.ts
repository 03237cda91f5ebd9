import { formatBytes, formatDuration } from '../../core/format.ts';
import { formatTable, type Column } from '../table.ts';
import type { TopRow } from './top-row.ts';

export type TopSort = 'start' | 'state';

/** What a person may have to do something about comes first. */
const stateOrder = ['waiting', 'paused', 'running', 'uploading', 'completing', 'creating', 'inspecting'];

/** The oldest first, so that rows stay where they are when uploads begin. */
export function sortRows<Row extends { readonly state: string | undefined; readonly startedAt: Date }>(
  rows: readonly Row[],
  sort: TopSort,
): Row[] {
  const rank = ({ state }: Row) => (sort === 'state' ? stateOrder.indexOf(state ?? 'running') : 0);
  return rows.toSorted((a, b) => rank(a) - rank(b) || a.startedAt.getTime() - b.startedAt.getTime());
}

/** The table, its headers first. @param width of the terminal; undefined: as wide as it gets */
export function describeRows(rows: readonly TopRow[], width?: number): string[] {
  return formatTable(columns, rows, width);
}

/** All that run, in one line: `12 uploads: 10 uploading, 2 waiting · 310 MiB/s`. */
export function describeTotals(
  states: readonly (string | undefined)[],
  rows: readonly TopRow[],
  isMore: boolean,
): string {
  if (states.length === 0) return 'no upload is running';
  const counts = new Map<string, number>();
  for (const state of states) counts.set(state ?? 'running', (counts.get(state ?? 'running') ?? 0) + 1);
  const each = [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
  const rate = rows.reduce((sum, { bytesPerSecond = 0 }) => sum + bytesPerSecond, 0);
  const uploads = states.length === 1 && !isMore ? '1 upload' : `${states.length}${isMore ? ' and more' : ''} uploads`;
  return `${uploads}: ${each}${rate > 0 ? ` · ${formatBytes(rate)}/s` : ''}`;
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
  { header: 'RATE', text: ({ bytesPerSecond }) => rateOf(bytesPerSecond), align: 'right' },
  {
    header: 'LEFT',
    text: ({ leftMs }) => (leftMs === undefined ? '' : formatDuration(Math.max(leftMs, 1000))),
    align: 'right',
  },
  { header: 'FILE', text: ({ filename }) => filename ?? '', shrinksTo: 12, dropOrder: 4 },
  { header: 'ID', text: ({ workflowId }) => workflowId, shrinksTo: 20 },
  { header: 'TROUBLE', text: ({ trouble }) => trouble ?? '', shrinksTo: 16 },
];

function rateOf(bytesPerSecond: number | undefined): string {
  return bytesPerSecond === undefined ? '' : `${formatBytes(bytesPerSecond)}/s`;
}
