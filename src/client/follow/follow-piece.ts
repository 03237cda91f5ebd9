import type { Client } from '@temporalio/client';
import { QueryName } from '../../contracts/names.ts';
import type { SplitUploadProgress } from '../../contracts/split.ts';
import type { UploadProgress } from '../../contracts/upload.ts';
import { pieceUnderWay, withPieceProgress } from '../../core/split/progress.ts';
import { queryWorkflow } from './followed-workflow.ts';
import { partsUnderWay, type PendingActivity } from './pending.ts';
import { readUploadProgress } from './read-answers.ts';
import type { PartTrouble } from './events.ts';

export interface FollowedProgress {
  readonly progress: UploadProgress | SplitUploadProgress;
  /** What heartbeats tell of the parts of the piece that is under way. */
  readonly bytesUnderWay: number;
  readonly trouble?: PartTrouble;
  /** Activities of the piece; undefined if the upload itself has them. */
  readonly pending?: readonly PendingActivity[];
}

/** Adds to a split upload's progress what the piece tells that is under way; any other progress stays as it is. */
export async function followPiece(
  client: Client,
  progress: UploadProgress | SplitUploadProgress,
): Promise<FollowedProgress> {
  const piece = 'pieces' in progress ? pieceUnderWay(progress) : undefined;
  if (piece === undefined) return { progress, bytesUnderWay: 0 };
  const workflow = client.workflow.getHandle(piece.workflowId);
  try {
    const { status, raw } = await workflow.describe();
    // Between two pieces: the split upload hasn't heard of it yet, and a bar must not jump back for that.
    if (status.name === 'COMPLETED') return { progress, bytesUnderWay: piece.range.sizeBytes };
    if (status.name !== 'RUNNING') return { progress, bytesUnderWay: 0 };
    const ofPiece = await queryWorkflow(client, workflow, QueryName.progress, readUploadProgress);
    const pending = raw.pendingActivities ?? [];
    const { bytesUnderWay, trouble } = partsUnderWay(pending);
    const followed = withPieceProgress(progress as SplitUploadProgress, ofPiece);
    return { progress: followed, bytesUnderWay, pending, trouble };
  } catch {
    // Not started yet, or no worker just now: the whole is known all the same.
    return { progress, bytesUnderWay: 0 };
  }
}
