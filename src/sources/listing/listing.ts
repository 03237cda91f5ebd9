import { setImmediate } from 'node:timers/promises';
import type { SyncProblem } from '../../contracts/sync.ts';
import type { ListedSource } from '../../core/sync/plan.ts';
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

/** Work on the event loop lasts no longer than this before other work gets its turn. */
const LONGEST_MS = 20;

/** Keeps a long loop from blocking the event loop: heartbeats and health checks go on beside it. */
export class Breather {
  #sinceMs = performance.now();

  async breathe(): Promise<void> {
    if (performance.now() - this.#sinceMs < LONGEST_MS) return;
    await setImmediate();
    this.#sinceMs = performance.now();
  }
}
