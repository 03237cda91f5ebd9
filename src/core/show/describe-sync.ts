import type { SyncCounts, SyncProgress } from '../../contracts/sync.ts';
import { headLines, paceLines, waitingLines } from './details.ts';
import { formatBytes } from '../text/format.ts';
import { inlineCode } from '../text/markdown.ts';

const NAMED_PATHS = 10;

/** What the answer to the query `progress` doesn't tell. */
export interface SyncContext {
  /** Unix milliseconds: the text is of this moment. */
  readonly nowMs: number;
  /** Over the last minute. @defaultValue unknown */
  readonly bytesPerSecond?: number | undefined;
  /** Files that are left to read for their MD5, before the first upload. @defaultValue 0 */
  readonly leftToRead?: number;
  /** Why it failed. */
  readonly reason?: string | undefined;
}

/** A sync's state as Markdown, for the page of its workflow in Temporal UI. */
export function describeSync(progress: SyncProgress, context: SyncContext): string {
  const { state, counts, uploading, waiting, bytesTotal, bytesDone } = progress;
  const { nowMs, bytesPerSecond, leftToRead = 0, reason } = context;
  const {
    listed,
    same,
    knownContent,
    toSend,
    sent,
    failed,
    leftOut,
    deleted,
    postponed = 0,
    unreadableRows = 0,
  } = counts;
  const lines = [
    ...headLines(progress, nowMs),
    `${sent.files} of ${toSend.files} files sent, of ${listed.files} files with ${formatBytes(listed.bytes)}`,
    `${same} unchanged, ${knownContent} known by content, ${failed} failed, ${leftOut} excluded, ${deleted} deleted`,
  ];
  if (postponed > 0) lines.push(`${postponed} postponed to the next run`);
  if (leftToRead > 0)
    lines.push(`${leftToRead} files remain to be read, because only their MD5 shows whether they changed`);
  if (unreadableRows > 0) lines.push(`${unreadableRows} rows of the files list cannot be read and are skipped`);
  if (state === 'uploading') lines.push(...paceLines(bytesTotal - bytesDone, bytesPerSecond, nowMs));
  if (state === 'waiting' && waiting) lines.push(...waitingLines(waiting));
  if (state === 'paused') lines.push('**Paused:** send the update `resume` to continue');
  if (state === 'failed' && reason !== undefined) lines.push(`**Failed** with ${inlineCode(reason)}`);
  const named = uploading.slice(0, NAMED_PATHS).map((path) => inlineCode(path));
  const more = uploading.length - named.length;
  if (named.length > 0) lines.push(`Now: ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`);
  return lines.join('\n\n');
}

export function describeCounts(counts: SyncCounts): string {
  const { sent, same, knownContent, deleted, failed, leftOut, postponed = 0, unreadableRows = 0 } = counts;
  const words = [`${sent.files} sent (${formatBytes(sent.bytes)})`, `${same} unchanged`];
  if (knownContent > 0) words.push(`${knownContent} known by content`);
  if (deleted > 0) words.push(`${deleted} deleted`);
  if (leftOut > 0) words.push(`${leftOut} excluded`);
  if (postponed > 0) words.push(`${postponed} postponed`);
  if (unreadableRows > 0) words.push(`${unreadableRows} unreadable rows of the files list skipped`);
  if (failed > 0) words.push(`${failed} failed`);
  return words.join(' · ');
}
