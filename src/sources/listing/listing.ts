import { setImmediate } from 'node:timers/promises';
import { FailureType } from '../../contracts/failures.ts';
import type { DestinationLimits } from '../../contracts/limits.ts';
import type { SyncProblem } from '../../contracts/sync.ts';
import { byPath, type ListedSource } from '../../core/sync/listed-source.ts';
import { fileProblem, ofSyncedFile } from '../../core/upload/file-limits.ts';
import type { PathFilter } from './path-filter.ts';

export interface ListOptions {
  readonly filter: PathFilter;
  readonly signal?: AbortSignal | undefined;
  /** Receives entries of a folder, in any order. They are then not in the listing. @defaultValue all are in the listing */
  readonly onEntry?: ((entry: ListedSource) => void) | undefined;
}

/** An entry that no File can be made of. */
export interface LeftOut extends SyncProblem {
  readonly isEmpty?: boolean | undefined;
}

/** The content of a container, sorted by path. */
export interface Listing {
  readonly entries: readonly ListedSource[];
  /** Entries that cannot be read. */
  readonly problems: readonly SyncProblem[];
  readonly leftOut: readonly LeftOut[];
  /** Entries of `leftOut` that were not read: paths below them can exist. */
  readonly unseen: readonly string[];
  /** False if a part of the container could not be listed, so that missing entries can exist. */
  readonly isComplete: boolean;
}

/** Moves entries that a service does not accept for the purpose to the problems. */
export function withinLimits(listing: Listing, limits: DestinationLimits, purpose: string): Listing {
  const entries: ListedSource[] = [];
  const rejected: SyncProblem[] = [];
  for (const entry of listing.entries) {
    const message = limitProblem(entry, limits, purpose);
    if (message === undefined) entries.push(entry);
    else rejected.push({ path: entry.path, failureType: FailureType.SourceUnusable, message });
  }
  if (rejected.length === 0) return listing;
  const problems = [...listing.problems, ...rejected].toSorted(byPath);
  return { ...listing, entries, problems };
}

/** The reason for which a service does not accept a file for the purpose. */
export function limitProblem(
  { path, sizeBytes }: ListedSource,
  limits: DestinationLimits,
  purpose: string,
): string | undefined {
  const filename = path.slice(path.lastIndexOf('/') + 1);
  return fileProblem(limits, { filename, sizeBytes, purpose }, ofSyncedFile);
}

/** Maximum time of work on the event loop before other work runs. */
const LONGEST_MS = 20;

/** Prevents a long loop from blocking the event loop, so that heartbeats and health checks continue. */
export class Breather {
  #sinceMs = performance.now();

  async breathe(): Promise<void> {
    if (performance.now() - this.#sinceMs < LONGEST_MS) return;
    await setImmediate();
    this.#sinceMs = performance.now();
  }
}
