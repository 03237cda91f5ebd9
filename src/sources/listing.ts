import type { SyncProblem } from '../contracts/sync.ts';
import type { ListedSource } from '../core/sync-plan.ts';
import type { PathFilter } from './path-filter.ts';

export interface ListOptions {
  readonly filter: PathFilter;
  readonly signal?: AbortSignal | undefined;
  /** As in `OpenOptions`. */
  readonly isNamed?: boolean | undefined;
}

/** What a container holds, sorted by path. */
export interface Listing {
  readonly entries: readonly ListedSource[];
  /** Entries that can't be read. */
  readonly problems: readonly SyncProblem[];
  /** Entries that no File can be made of. */
  readonly leftOut: readonly SyncProblem[];
  /** Those of `leftOut` that were not looked at: what lies below them may be there. */
  readonly unseen: readonly string[];
  /** False when a part of the container could not be listed, so that what is missing here may be there. */
  readonly isComplete: boolean;
}
