import type { UploadSummary } from '../../client/list-uploads.ts';
import { withBackend } from '../backend.ts';
import type { CliContext } from '../context.ts';

export async function listCommand(context: CliContext, options: { json?: boolean; running?: boolean }): Promise<void> {
  await withBackend(context, {}, async ({ client }) => {
    const uploads: UploadSummary[] = [];
    for await (const upload of client.list({ running: options.running ?? false })) uploads.push(upload);
    if (options.json) return context.out(JSON.stringify({ uploads }));
    if (uploads.length === 0) context.note('there is no upload');
    for (const { workflowId, status, startedAt, parentId } of uploads) {
      const place = parentId === undefined ? '' : `  (of ${parentId})`;
      context.out(`${startedAt.toISOString()}  ${status.toLowerCase().padEnd(10)}  ${workflowId}${place}`);
    }
  });
}
