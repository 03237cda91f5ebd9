import type { SplitUploadProgress } from '../../contracts/split.ts';
import type { UploadProgress, UploadState } from '../../contracts/upload.ts';
import { formatTime, headLines, paceLines, waitingLines } from './details.ts';
import { optionBytes } from '../text/format.ts';
import { inlineCode } from '../text/markdown.ts';

/** What the answer to the query `progress` doesn't tell. */
export interface ProgressContext {
  /** Unix milliseconds: the text is of this moment. */
  readonly nowMs: number;
  /** Over the last minute. @defaultValue unknown */
  readonly bytesPerSecond?: number | undefined;
  /** Parts of all attempts and sessions that completed or failed. @defaultValue unknown */
  readonly partsSent?: number;
  /** Why it failed. */
  readonly reason?: string | undefined;
  /** Once it is completed. */
  readonly fileId?: string | undefined;
}

const isOver: readonly UploadState[] = ['completed', 'cancelled', 'failed'];

/** An upload's state as Markdown, for the page of its workflow in Temporal UI. */
export function describeProgress(progress: UploadProgress | SplitUploadProgress, context: ProgressContext): string {
  const { state, bytesDone, bytesTotal, partsDone, partsTotal, partsInFlight, session } = progress;
  const { nowMs, bytesPerSecond, partsSent = 0, reason, fileId } = context;
  const lines = headLines(progress, nowMs);
  if (bytesTotal > 0) {
    const again = partsSent > partsDone ? `, ${partsSent - partsDone} resent or failed` : '';
    const flight = isOver.includes(state)
      ? ''
      : `, ${partsInFlight} in flight, at most ${progress.concurrency} at a time`;
    lines.push(`${partsDone} of ${partsTotal} parts recorded${flight}${again}`);
  }
  if (state === 'uploading') lines.push(...paceLines(bytesTotal - bytesDone, bytesPerSecond, nowMs));
  if (state === 'waiting' && progress.waiting) lines.push(...waitingLines(progress.waiting));
  if (state === 'paused') lines.push('**Paused:** send the update `resume` to continue');
  if (state === 'uploading' && progress.sessionEndsTooEarly) {
    const { splitSizeBytes } = progress;
    const split =
      splitSizeBytes === undefined ? '' : `, or upload lines with \`--split-size ${optionBytes(splitSizeBytes)}\``;
    lines.push(
      `**At this rate, the session expires before the file is complete.** To send more parts at a time, send the update \`retune\` with \`{"concurrency": 32}\`${split}`,
    );
  }
  if (state === 'failed' && reason !== undefined) lines.push(`**Failed** with ${inlineCode(reason)}`);
  if (fileId !== undefined) lines.push(`File ${inlineCode(fileId)}`);
  if (session && !isOver.includes(state)) {
    const until = formatTime(session.expiresAt * 1000);
    lines.push(`Upload ${inlineCode(session.uploadId)} (session ${progress.sessionsOpened}) expires ${until}`);
  }
  return lines.join('\n\n');
}
