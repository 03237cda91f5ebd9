import { SyncNotFoundError } from '../../../client/errors.ts';
import type { SyncHandle, SyncStatus } from '../../../client/sync-handle.ts';
import { WorkflowName } from '../../../contracts/names.ts';
import { describeCounts } from '../../../core/show/describe-sync.ts';
import { formatBytes } from '../../../core/text/format.ts';
import { printable } from '../../../core/text/printable.ts';
import type { Backend } from '../../backend.ts';
import { describeSyncProgress } from './view.ts';

/** The sync of an id; undefined when there is none, or it is something else. */
export async function findSync({ client }: Backend, workflowId: string): Promise<SyncHandle | undefined> {
  const handle = client.getSyncHandle(workflowId);
  try {
    const { workflowType } = await handle.describe();
    return workflowType === WorkflowName.syncSource ? handle : undefined;
  } catch (error) {
    if (error instanceof SyncNotFoundError) return undefined;
    throw error;
  }
}

/** A sync's state in one line. */
export function describeSyncStatus(workflowId: string, progress: SyncStatus): string {
  const { counts, state, waiting, uploading, bytesSent } = progress;
  const words = [`${workflowId}: ${state}`, `${counts.listed.files} files (${formatBytes(counts.listed.bytes)})`];
  if (state === 'uploading' || state === 'paused') words.push(describeSyncProgress(progress, bytesSent));
  words.push(describeCounts(counts));
  if (uploading.length > 0) words.push(`${uploading.length} under way`);
  if (waiting) words.push(`waits: ${waiting.reason}`);
  if (progress.unpolled) words.push(`waits: ${progress.unpolled.reason}`);
  return printable(words.join(' · '));
}
