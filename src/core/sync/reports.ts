import { formatCount, formatDuration } from '../text/format.ts';
import type { HeldFile } from './gone.ts';
import { FailureType } from '../../contracts/failures.ts';
import type { SyncProblem } from '../../contracts/sync.ts';

const MAX_IDS = 3;

const reasons: Readonly<Record<HeldFile['why'], string>> = {
  name: 'whose name is not the name that this sync gives to the remembered path',
  size: 'whose size differs from the remembered size',
  'creation time': 'whose creation time differs from the remembered creation time',
  'no creation time': 'of an earlier version of Longhaul, which did not record their creation time',
  source: 'that were sent from another folder or bucket, according to the manifest',
  postponed: 'of the size of a file that is postponed to the next run, which can be their moved source',
};

/** Explains in one line why Files in the memory are not deleted; null if there are none. */
export function describeHeld(held: readonly HeldFile[]): string | null {
  if (held.length === 0) return null;
  const groups = Object.entries(reasons).flatMap(([why, reason]) => {
    const ids = held.filter((file) => file.why === why).map(({ fileId }) => fileId);
    if (ids.length === 0) return [];
    const shown = ids.slice(0, MAX_IDS).join(', ') + (ids.length > MAX_IDS ? ', …' : '');
    return [`${formatCount(ids.length, 'File')} (${shown}) ${reason}`];
  });
  const kept = `kept ${groups.join(', and ')}`;
  // The next run decides about those.
  return held.every(({ why }) => why === 'postponed') ? kept : `${kept}. Delete them if they are no longer needed`;
}

/** A file of a sync that changed between listing and completion. */
export function stillWritten(path: string): SyncProblem {
  const message = 'still being written (it changed after it was listed). Postponed to the next run';
  return { path, failureType: FailureType.SourceChanged, message };
}

/** A file that is newer than `minAgeMs`. */
export function tooNew(path: string, minAgeMs: number): SyncProblem {
  const message = `changed less than ${formatDuration(minAgeMs)} ago. Postponed to the next run`;
  return { path, failureType: FailureType.SourceChanged, message };
}
