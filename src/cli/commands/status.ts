import { NoWorkerError } from '../../client/upload-errors.ts';
import { withBackend } from '../backend.ts';
import type { CliContext } from '../context.ts';
import { describeSyncStatus, findSync } from '../find-sync.ts';
import { describePieces, describeStatus } from '../status-view.ts';
import type { AnyResult } from '../upload-outcomes.ts';
import { commandSources } from '../source-settings.ts';
import { watchStatus } from '../watch-status.ts';

export async function statusCommand(
  context: CliContext,
  workflowId: string,
  options: { json?: boolean; watch?: boolean },
): Promise<void> {
  await withBackend(context, {}, async (backend) => {
    const sync = await findSync(backend, workflowId);
    const handle = sync ?? backend.client.getHandle<AnyResult>(workflowId);
    const { status, taskQueue } = await handle.describe();
    if (backend.isEmbedded) {
      const worker = await backend.startWorker(commandSources(context.config), { taskQueue, roles: ['control'] });
      void worker.run().catch(() => {});
    }
    if (options.watch) return watchStatus(context, handle, options.json ?? false);
    const progress = await handle.status().catch((error: unknown) => {
      if (error instanceof NoWorkerError) context.note(`longhaul: ${error.message}`);
      else throw error;
    });
    if (options.json) return context.json({ workflowId, status, ...(progress ? { progress } : {}) });
    if (!progress) return context.out(`${workflowId}: ${status.toLowerCase()}`);
    context.out('counts' in progress ? describeSyncStatus(workflowId, progress) : describeStatus(workflowId, progress));
    if ('pieces' in progress) describePieces(progress).forEach(context.out);
  });
}
