import type { FileFacts, ForgottenFile, RememberedFile } from '../../contracts/sync.ts';
import type { ListedFile } from '../../contracts/upload.ts';
import { isSameName } from '../text/name-form.ts';
import type { KnownFiles } from './known-files.ts';
import { byPath } from './listed-source.ts';

export interface GoneQuery {
  /** Whether a path is in the source. */
  readonly isListed: (path: string) => boolean;
  /** The name that this sync gives to the File of a path. */
  readonly nameOf: (path: string) => string;
  /** Sizes of files that the next run compares: each can be the moved source of a File of its size. @defaultValue none */
  readonly postponedSizes?: ReadonlySet<number>;
  /** Folder or bucket of this sync. Entries of a manifest from others are kept. @defaultValue all are of this sync */
  readonly from?: string;
  /** Entries that `settle` returned in this run. @defaultValue none */
  readonly recognised?: readonly RememberedFile[];
}

/** A File that is in the memory, and whose source is deleted, but that is possibly not a File of this sync. */
export interface HeldFile {
  readonly fileId: string;
  readonly why: 'name' | 'size' | 'creation time' | 'no creation time' | 'source' | 'postponed';
}

/** A deletion with the properties that the File must still have when it is deleted. */
export interface GoneFile {
  /** Where its source was. */
  readonly path: string;
  readonly fileId: string;
  readonly expected: FileFacts;
}

export interface Gone {
  /** In the order of their paths. */
  readonly deletions: readonly GoneFile[];
  readonly held: readonly HeldFile[];
}

/**
 * Files of this sync whose sources are deleted: each File once, and none that a listed path still leads to. A memory can
 * be forged, so a File is deleted only if it has the remembered size and creation time, and the name that this sync gives
 * to the path. A File that was recognised under a second path is deleted by the row of its first path.
 */
export function goneFiles(
  known: KnownFiles,
  { isListed, nameOf, postponedSizes, from, recognised = [] }: GoneQuery,
): Gone {
  const deletions = new Map<string, GoneFile>();
  const held = new Map<string, HeldFile>();
  for (const entry of known.entries(recognised)) {
    const { path, fileId } = entry;
    if (isListed(path) || deletions.has(fileId)) continue;
    const file = known.file(fileId);
    if (!file) continue;
    const isPostponed = postponedSizes?.has(entry.sizeBytes) === true;
    const isOfOther = from !== undefined && entry.from !== undefined && entry.from !== from;
    const other = isOfOther ? 'source' : isPostponed ? 'postponed' : undefined;
    const why = reasonToKeep(entry, file, nameOf(path)) ?? other;
    const expected = { filename: file.filename, bytes: entry.sizeBytes, createdAt: file.createdAt };
    if (why !== undefined) held.set(fileId, { fileId, why });
    else deletions.set(fileId, { path, fileId, expected });
  }
  // Only of candidates, because almost all Files are in use.
  const others = deletions.size + held.size === 0 ? [] : known.entries(recognised);
  for (const { path, fileId } of others) {
    if ((!deletions.has(fileId) && !held.has(fileId)) || !isListed(path)) continue;
    deletions.delete(fileId);
    held.delete(fileId);
  }
  return {
    deletions: [...deletions.values()].toSorted(byPath),
    held: [...held.values()].filter(({ fileId }) => !deletions.has(fileId)),
  };
}

/** Remembered paths that are no longer on either side. */
export function forgettable(known: KnownFiles, isListed: (path: string) => boolean): ForgottenFile[] {
  const found: ForgottenFile[] = [];
  for (const { path, fileId } of known.missing()) if (!isListed(path)) found.push({ path, fileId });
  return found;
}

function reasonToKeep(entry: RememberedFile, file: ListedFile, filename: string): HeldFile['why'] | undefined {
  if (!isSameName(file.filename, filename)) return 'name';
  if (file.bytes !== entry.sizeBytes) return 'size';
  if (entry.createdAt === undefined) return 'no creation time';
  return file.createdAt === entry.createdAt ? undefined : 'creation time';
}
