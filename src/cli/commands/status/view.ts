import type { SplitUploadProgress } from '../../../contracts/split.ts';
import type { UploadStatus } from '../../../client/upload-handle.ts';
import { formatBytes } from '../../../core/text/format.ts';
import { printable } from '../../../core/text/printable.ts';

/** An upload's state in one line. */
export function describeStatus(workflowId: string, progress: UploadStatus): string {
  const { state, bytesDone, bytesTotal, partsDone, partsTotal, partsInFlight, session } = progress;
  const words = [`${workflowId}: ${state}`];
  if (bytesTotal > 0) {
    words.push(`${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`);
    words.push(
      `${partsDone} of ${partsTotal} parts recorded, ${partsInFlight} in flight, at most ${progress.concurrency}`,
    );
  }
  const bytesPerSecond = progress.limit?.bytesPerSecond ?? 0;
  if (bytesPerSecond > 0) words.push(`limited to ${formatBytes(bytesPerSecond)}/s`);
  if (progress.waiting) words.push(`waits: ${progress.waiting.reason}`);
  if (progress.unpolled) words.push(`waits: ${progress.unpolled.reason}`);
  if (session) words.push(`Upload ${session.uploadId} expires ${new Date(session.expiresAt * 1000).toISOString()}`);
  if (progress.orphanedSessions > 0) {
    words.push(`${progress.orphanedSessions} more sessions may be open, as the answer with their id was lost`);
  }
  return printable(words.join(' · '));
}

/** One line for each piece of a split upload. */
export function describePieces(pieces: SplitUploadProgress['pieces']): string[] {
  return pieces.map(({ number, state, filename, range, workflowId, fileId, message }) => {
    const words = [`  ${number}. ${state.padEnd(9)}  ${filename}`, formatBytes(range.sizeBytes)];
    const more = state === 'uploading' ? workflowId : (fileId ?? message);
    return printable([...words, ...(more === undefined ? [] : [more])].join(' · '));
  });
}
