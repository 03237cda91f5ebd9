import { NoWorkerError } from '../../client/upload-errors.ts';
import type { SplitUploadProgress } from '../../contracts/split.ts';
import type { UploadProgress } from '../../contracts/upload.ts';
import { formatBytes } from '../../core/format.ts';
import { withBackend } from '../backend.ts';
import type { CliContext } from '../context.ts';
import { describeSyncStatus, findSync } from '../find-sync.ts';

export async function statusCommand(
  context: CliContext,
  workflowId: string,
  options: { json?: boolean },
): Promise<void> {
  await withBackend(context, {}, async (backend) => {
    const sync = await findSync(backend, workflowId);
    const handle = sync ?? backend.client.getHandle(workflowId);
    const { status, taskQueue } = await handle.describe();
    if (backend.isEmbedded) {
      const worker = await backend.startWorker({ taskQueue, roles: ['control'] });
      void worker.run().catch(() => {});
    }
    const progress = await handle.status().catch((error: unknown) => {
      if (error instanceof NoWorkerError) context.note(`longhaul: ${error.message}`);
      else throw error;
    });
    if (options.json) return context.out(JSON.stringify({ workflowId, status, ...(progress ? { progress } : {}) }));
    if (!progress) return context.out(`${workflowId}: ${status.toLowerCase()}`);
    context.out('counts' in progress ? describeSyncStatus(workflowId, progress) : describeStatus(workflowId, progress));
    if ('pieces' in progress) describePieces(progress).forEach(context.out);
  });
}

export function describeStatus(workflowId: string, progress: UploadProgress): string {
  const { state, bytesDone, bytesTotal, partsDone, partsTotal, partsInFlight, session } = progress;
  const words = [`${workflowId}: ${state}`];
  if (bytesTotal > 0) {
    words.push(`${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`);
    words.push(
      `${partsDone} of ${partsTotal} parts recorded, ${partsInFlight} in flight, at most ${progress.concurrency}`,
    );
  }
  if (progress.waiting) words.push(`waits: ${progress.waiting.reason}`);
  if (session) words.push(`Upload ${session.uploadId} expires ${new Date(session.expiresAt * 1000).toISOString()}`);
  if (progress.orphanedSessions > 0) {
    words.push(`${progress.orphanedSessions} more sessions may be open, as the answer with their id was lost`);
  }
  return words.join(' · ');
}

/** One line for each piece of a split upload. */
function describePieces({ pieces }: SplitUploadProgress): string[] {
  return pieces.map(({ number, state, filename, range, workflowId, fileId, message }) => {
    const words = [`  ${number}. ${state.padEnd(9)}  ${filename}`, formatBytes(range.sizeBytes)];
    const more = state === 'uploading' ? workflowId : (fileId ?? message);
    return [...words, ...(more === undefined ? [] : [more])].join(' · ');
  });
}
