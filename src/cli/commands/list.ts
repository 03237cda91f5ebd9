import type { UnpolledQueue } from '../../client/jobs.ts';
import { findUnpolledQueues } from '../../client/queues/unpolled-queue.ts';
import { type ListOptions, isSync, type WorkflowSummary } from '../../client/lists/list-uploads.ts';
import { formatBytes } from '../../core/text/format.ts';
import { withBackend } from '../backend.ts';
import type { CliContext } from '../context.ts';
import { formatTable, type Column } from '../text/table.ts';
import { terminalWidth } from '../text/wrap-text.ts';

interface ListCommandOptions extends Pick<ListOptions, 'state' | 'running' | 'limit'> {
  readonly json?: boolean;
}

/** A row, with the queue that it waits for if no worker polls it. */
interface Listed extends WorkflowSummary {
  readonly unpolled?: UnpolledQueue;
}

export async function listCommand(context: CliContext, options: ListCommandOptions): Promise<void> {
  const { json, ...wanted } = options;
  await withBackend(context, {}, async ({ client }) => {
    const summaries: WorkflowSummary[] = [];
    for await (const one of client.list({ ...wanted, syncs: true })) summaries.push(one);
    const running = summaries.filter(({ status }) => status === 'RUNNING');
    const queues = await findUnpolledQueues(client.temporal, running);
    const found = summaries.map((one): Listed => {
      const unpolled = queues.get(one.workflowId);
      return unpolled ? { ...one, unpolled } : one;
    });
    if (json) {
      // Separate, because scripts expect only uploads in `uploads`.
      const uploads = found.filter((one) => !isSync(one));
      return context.json({ uploads, syncs: found.filter(isSync) });
    }
    if (found.length === 0) return context.note(nothingFound(options));
    const [header, ...lines] = formatTable(columns, found, terminalWidth(context.stdout));
    if (context.stdout.isTTY) context.out(header as string);
    lines.forEach(context.out);
    const reasons = new Set(found.flatMap(({ unpolled }) => unpolled?.reason ?? []));
    for (const reason of reasons) context.note(`longhaul: ${reason}`);
  });
}

/** Describes an empty list. */
export function nothingFound({ state, running }: Pick<ListCommandOptions, 'state' | 'running'>): string {
  const subject = running && state ? 'no running upload or sync' : 'no upload or sync';
  if (state) return `${subject} has the state ${state}`;
  return running ? `${subject} is running` : `${subject} found`;
}

const columns: readonly Column<Listed>[] = [
  { header: 'STARTED', text: ({ startedAt }) => startedAt.toISOString(), dropOrder: 5 },
  { header: 'STATE', text: ({ state, status }) => state ?? status.toLowerCase() },
  { header: 'ID', text: ({ workflowId }) => workflowId, shrinksTo: 16 },
  { header: 'TYPE', text: (one) => (isSync(one) ? 'sync' : ''), narrowDropOrder: 1 },
  { header: 'DONE', text: describePercent, align: 'right' },
  { header: 'SIZE', text: ({ bytes }) => (bytes ? formatBytes(bytes) : ''), align: 'right', dropOrder: 2 },
  { header: 'WHY', text: describeReason, dropOrder: 1 },
  { header: 'PURPOSE', text: ({ purpose }) => purpose ?? '', dropOrder: 6 },
  { header: 'DESTINATION', text: ({ destination }) => destination ?? '', dropOrder: 7 },
  { header: 'FILE', text: ({ fileId }) => fileId ?? '', dropOrder: 3 },
  { header: 'SOURCE', text: (one) => (isSync(one) ? (one.filename ?? '') : ''), dropOrder: 4 },
  { header: '', text: ({ parentId }) => (parentId === undefined ? '' : `(of ${parentId})`), dropOrder: 8 },
];

function describeReason({ reason, endsTooEarly, unpolled }: Listed): string {
  if (unpolled) return unpolled.host === undefined ? 'no worker' : `no worker of ${unpolled.host}`;
  return reason ?? (endsTooEarly ? 'session too short' : '');
}

function describePercent({ percent, bytes, bytesDone }: WorkflowSummary): string {
  const known = percent ?? (bytes && bytesDone !== undefined ? (bytesDone / bytes) * 100 : undefined);
  return known === undefined ? '' : `${Math.floor(known)}%`;
}
