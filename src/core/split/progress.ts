import type { PieceProgress, SplitUploadProgress } from '../../contracts/split.ts';
import type { UploadProgress, UploadState } from '../../contracts/upload.ts';
import { MAX_MESSAGE_LENGTH } from '../text/clip.ts';
import { describeProgress, type ProgressContext } from '../show/describe-progress.ts';
import { inlineCode } from '../text/markdown.ts';
import { jsonBytes } from '../payload.ts';

/** States of a split upload in which the state of its piece is more exact. */
const underWay: readonly UploadState[] = ['uploading', 'paused'];

/** The progress of a split upload, including that of the running piece. */
export function withPieceProgress(split: SplitUploadProgress, piece: UploadProgress): SplitUploadProgress {
  const isHeld = piece.state === 'waiting' || piece.state === 'paused';
  return {
    ...split,
    state: underWay.includes(split.state) && isHeld ? piece.state : split.state,
    bytesDone: split.bytesDone + piece.bytesDone,
    partSizeBytes: piece.partSizeBytes || split.partSizeBytes,
    partsDone: split.partsDone + piece.partsDone,
    partsInFlight: piece.partsInFlight,
    concurrency: piece.concurrency,
    limit: piece.limit,
    session: piece.session,
    sessionEndsTooEarly: piece.sessionEndsTooEarly,
    splitSizeBytes: piece.splitSizeBytes,
    sessionsOpened: split.sessionsOpened + piece.sessionsOpened,
    orphanedSessions: split.orphanedSessions + piece.orphanedSessions,
    waiting: split.waiting ?? piece.waiting,
  };
}

export function pieceUnderWay({ pieces }: SplitUploadProgress): SplitUploadProgress['pieces'][number] | undefined {
  return pieces.find(({ state }) => state === 'uploading');
}

/** Of failed pieces: the text stays short enough to read. */
const MOST_SHOWN = 10;

/** A split upload's state as Markdown, for the page of its workflow in Temporal UI. */
export function describeSplitProgress(progress: SplitUploadProgress, context: ProgressContext): string {
  const { pieces } = progress;
  const lines = [describeProgress(progress, context)];
  const completed = pieces.filter(({ state }) => state === 'completed').length;
  if (pieces.length > 0) lines.push(`${completed} of ${pieces.length} pieces have their Files`);
  const current = pieceUnderWay(progress);
  if (current) lines.push(`uploading: ${inlineCode(current.filename)}, workflow ${inlineCode(current.workflowId)}`);
  const failed = pieces.filter(({ state }) => state === 'failed');
  for (const { filename, message } of failed.slice(0, MOST_SHOWN)) {
    lines.push(`${inlineCode(filename)} **failed:** ${inlineCode(message ?? '')}`);
  }
  if (failed.length > MOST_SHOWN) {
    lines.push(`${failed.length - MOST_SHOWN} more failed. The query \`progress\` lists all of them`);
  }
  return lines.join('\n\n');
}

/** Of the receipt and the File of a piece in the result, without its names. */
const RECEIPT_BYTES = 700;

/** About the bytes that a result with a File for each piece has. Each name is there twice. */
export function resultBytes(pieces: readonly PieceProgress[]): number {
  return pieces.reduce(
    (sum, { filename, workflowId }) => sum + 2 * jsonBytes(filename) + jsonBytes(workflowId) + RECEIPT_BYTES,
    0,
  );
}

/** Maximum length of the message of one piece, so that those of all fit into the progress and the failure. */
export function pieceMessageLength(pieceCount: number): number {
  return pieceCount > 100 ? 200 : MAX_MESSAGE_LENGTH;
}
