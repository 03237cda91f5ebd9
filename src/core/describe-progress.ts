import type { UploadProgress } from '../contracts/upload.ts';
import { formatBytes } from './format.ts';

const BAR_CELLS = 20;

/** An upload's state as Markdown, for the page of its workflow in Temporal UI. */
export function describeProgress(progress: UploadProgress): string {
  const { state, bytesDone, bytesTotal, partsDone, partsTotal, partsInFlight, session } = progress;
  const lines = [`**${state}** · ${progress.filename}`];
  if (bytesTotal > 0) {
    const filled = Math.floor((bytesDone / bytesTotal) * BAR_CELLS);
    const percent = Math.floor((bytesDone / bytesTotal) * 100);
    lines.push(
      `\`${'█'.repeat(filled)}${'░'.repeat(BAR_CELLS - filled)}\` ${percent} % · ${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`,
      `${partsDone} of ${partsTotal} parts recorded, ${partsInFlight} in flight, at most ${progress.concurrency} at a time`,
    );
  }
  if (progress.waiting) lines.push(`**Waiting:** ${progress.waiting.reason}`);
  if (progress.sessionEndsTooEarly) lines.push('**At this pace the session ends before the file is through.**');
  if (session) {
    const until = new Date(session.expiresAt * 1000).toISOString();
    lines.push(`Upload \`${session.uploadId}\` (session ${progress.sessionsOpened}) expires ${until}`);
  }
  return lines.join('\n\n');
}
