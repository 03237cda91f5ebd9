import type { ListOptions, UploadSummary } from '../../client/list-uploads.ts';
import { formatBytes } from '../../core/format.ts';
import { withBackend } from '../backend.ts';
import type { CliContext } from '../context.ts';
import { formatTable, type Column } from '../table.ts';
import { terminalWidth } from '../terminal-width.ts';

export interface ListCommandOptions extends Pick<ListOptions, 'state' | 'running' | 'limit'> {
  readonly json?: boolean;
}

export async function listCommand(context: CliContext, options: ListCommandOptions): Promise<void> {
  const { json, ...wanted } = options;
  await withBackend(context, {}, async ({ client }) => {
    const uploads: UploadSummary[] = [];
    for await (const upload of client.list(wanted)) uploads.push(upload);
    if (json) return context.out(JSON.stringify({ uploads }));
    if (uploads.length === 0) return context.note(nothingFound(options));
    const [header, ...lines] = formatTable(columns, uploads, terminalWidth(process.stdout));
    if (process.stdout.isTTY) context.out(header as string);
    lines.forEach(context.out);
  });
}

function nothingFound({ state, running }: ListCommandOptions): string {
  if (state) return `there is no upload that is ${state}`;
  return running ? 'no upload is running' : 'there is no upload';
}

const columns: readonly Column<UploadSummary>[] = [
  { header: 'STARTED', text: ({ startedAt }) => startedAt.toISOString(), dropOrder: 4 },
  { header: 'STATE', text: ({ state, status }) => state ?? status.toLowerCase() },
  { header: 'ID', text: ({ workflowId }) => workflowId, shrinksTo: 24 },
  { header: 'DONE', text: describePercent, align: 'right' },
  { header: 'SIZE', text: ({ bytes }) => (bytes ? formatBytes(bytes) : ''), align: 'right', dropOrder: 2 },
  { header: 'WHY', text: ({ reason, endsTooEarly }) => reason ?? (endsTooEarly ? 'ends too early' : ''), dropOrder: 1 },
  { header: 'PURPOSE', text: ({ purpose }) => purpose ?? '', dropOrder: 5 },
  { header: 'DESTINATION', text: ({ destination }) => destination ?? '', dropOrder: 6 },
  { header: 'FILE', text: ({ fileId }) => fileId ?? '', dropOrder: 3 },
  { header: '', text: ({ parentId }) => (parentId === undefined ? '' : `(of ${parentId})`), dropOrder: 7 },
];

function describePercent({ percent, bytes, bytesDone }: UploadSummary): string {
  const known = percent ?? (bytes && bytesDone !== undefined ? (bytesDone / bytes) * 100 : undefined);
  return known === undefined ? '' : `${Math.floor(known)} %`;
}
