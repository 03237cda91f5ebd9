import { FailureType } from '../contracts/failures.ts';
import type { SyncProblem } from '../contracts/sync.ts';
import { formatDuration } from './format.ts';

/** A file of a sync that changed between listing and completion. */
export function stillWritten(path: string): SyncProblem {
  const message = 'still being written (it changed after it was listed); left for the next run';
  return { path, failureType: FailureType.SourceChanged, message };
}

/** A file that is newer than `minAgeMs`. */
export function tooNew(path: string, minAgeMs: number): SyncProblem {
  const message = `changed less than ${formatDuration(minAgeMs)} ago; left for the next run`;
  return { path, failureType: FailureType.SourceChanged, message };
}
