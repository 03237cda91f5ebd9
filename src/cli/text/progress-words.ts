import type { JobProgress } from '../../client/jobs.ts';
import { formatBytes, formatDuration } from '../../core/text/format.ts';

/**
 * Describes the progress of a job in a few words, the most important first.
 *
 * @param bytesPerSecond undefined if it is unknown or not shown
 */
export function progressWords(progress: JobProgress, bytesSent: number, bytesPerSecond?: number): string[] {
  const { state, bytesTotal } = progress;
  if (progress.kind === 'sync' && state === 'deleting') {
    return [state, `${progress.counts.deleted} of ${progress.counts.toDelete}`];
  }
  const words = amountWords(progress, bytesSent);
  if (words.length === 0) return [state];
  if (state !== 'uploading') words.push(state);
  else if (bytesPerSecond) {
    const leftMs = ((bytesTotal - bytesSent) / bytesPerSecond) * 1000;
    words.push(`${formatBytes(bytesPerSecond)}/s`, `${formatDuration(Math.max(leftMs, 1000))} left`);
  }
  return words;
}

function amountWords(progress: JobProgress, bytesSent: number): string[] {
  const { bytesTotal } = progress;
  const amounts = `${formatBytes(bytesSent)} of ${formatBytes(bytesTotal)}`;
  if (progress.kind !== 'sync') {
    return bytesTotal === 0 ? [] : [`${Math.floor((bytesSent / bytesTotal) * 100)} %`, amounts];
  }
  const { toSend, sent, failed } = progress.counts;
  if (toSend.files === 0) return [];
  return [`${sent.files} of ${toSend.files} files`, amounts, ...(failed > 0 ? [`${failed} failed`] : [])];
}
