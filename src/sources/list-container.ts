import type { Container } from '../contracts/sources.ts';
import type { SyncProblem } from '../contracts/sync.ts';
import type { ListedSource } from '../core/sync-plan.ts';
import { ConfigError } from '../errors.ts';
import { listFolder } from './list-folder.ts';
import type { PathFilter } from './path-filter.ts';

export interface ListOptions {
  readonly filter: PathFilter;
  readonly signal?: AbortSignal | undefined;
}

/** What a container holds, sorted by path. */
export interface Listing {
  readonly entries: readonly ListedSource[];
  /** Entries that can't be read. */
  readonly problems: readonly SyncProblem[];
  /** Entries that no File can be made of. */
  readonly leftOut: readonly SyncProblem[];
  /** False when a part of the container could not be listed, so that what is missing here may be there. */
  readonly isComplete: boolean;
}

type Listers = {
  readonly [Type in Container['type']]: (
    container: Extract<Container, { type: Type }>,
    options: ListOptions,
  ) => Promise<Listing>;
};

/** One line for each kind of container. */
const listers: Listers = {
  folder: listFolder,
  s3: () => Promise.reject(new ConfigError('this version lists folders only; give {"type":"folder","path":…}')),
};

/**
 * Lists a container.
 *
 * @throws SourceMissingError when it is missing or not readable
 * @throws SourceUnusableError when it is no container
 * @throws SourceReadError when the storage is in trouble
 */
export function listContainer(container: Container, options: ListOptions): Promise<Listing> {
  const lister = listers[container.type] as (container: Container, options: ListOptions) => Promise<Listing>;
  return lister(container, options);
}
