import type { SyncProgress } from '../contracts/sync.ts';
import { formatBytes } from './format.ts';

const BAR_CELLS = 20;
const NAMED_PATHS = 10;

/** A sync's state as Markdown, for the page of its workflow in Temporal UI. */
export function describeSync({ state, counts, uploading, waiting }: SyncProgress): string {
  const { listed, same, knownContent, toSend, sent, failed, leftOut, deleted } = counts;
  const lines = [`**${state}** · ${listed.files} files of ${formatBytes(listed.bytes)}`];
  if (toSend.files > 0) {
    const filled = toSend.bytes > 0 ? Math.floor((sent.bytes / toSend.bytes) * BAR_CELLS) : 0;
    const bar = '█'.repeat(Math.min(filled, BAR_CELLS)).padEnd(BAR_CELLS, '░');
    lines.push(
      `\`${bar}\` ${sent.files} of ${toSend.files} sent · ${formatBytes(sent.bytes)} of ${formatBytes(toSend.bytes)}`,
    );
  }
  lines.push(
    `${same} the same, ${knownContent} known by content, ${failed} failed, ${leftOut} left out, ${deleted} deleted`,
  );
  if (waiting) lines.push(`**Waiting:** ${waiting.reason}`);
  const named = uploading.slice(0, NAMED_PATHS).map((path) => `\`${path.replaceAll('`', "'")}\``);
  const more = uploading.length - named.length;
  if (named.length > 0) lines.push(`Now: ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`);
  return lines.join('\n\n');
}
