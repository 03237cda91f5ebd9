import type { SyncDecision, UnmatchedGlob } from '../../../contracts/sync.ts';
import { formatBytes } from '../../../core/text/format.ts';

const reasons: Readonly<Record<SyncDecision['why'], string>> = {
  new: 'new',
  changed: 'changed',
  same: 'unchanged',
  'known-content': 'same content as',
  gone: 'source deleted',
};

/** Describes a glob that matched nothing, as a warning. */
export function describeUnmatched({ list, glob, matchesFolder }: UnmatchedGlob): string {
  const fix = matchesFolder ? `It matches a folder. For a folder with its files, use '${glob}/'.` : 'Check the glob.';
  return `--${list} '${glob}' matched no file. ${fix}`;
}

/** Describes a decision of a dry run on one line. */
export function describeDecision({ action, why, path, bytes, fileId }: SyncDecision): string {
  const file = why === 'known-content' || why === 'gone' ? ` ${fileId}` : '';
  const reason = why === 'gone' ? `${reasons.gone} (File${file})` : `${reasons[why]}${file}`;
  return `${action.padEnd(6)}  ${path}  ${formatBytes(bytes)}  ${reason}`;
}
