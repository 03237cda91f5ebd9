import type { SyncScope } from '../../contracts/plan-sync.ts';
import type { FileFacts, ForgottenFile, FullSyncRequest, RememberedFile, SyncDecision } from '../../contracts/sync.ts';
import type { ListedFile } from '../../contracts/upload.ts';
import { isSameName, nameKey } from '../text/name-form.ts';
import { Packed, PackedIndex } from './packed.ts';

/** One entry of a container's listing. */
export interface ListedSource {
  /** Within the container, with `/` between its segments. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Unix milliseconds, with fractions. */
  readonly mtimeMs: number;
  /** From the source's reader (see `SourceInfo.fingerprint`). */
  readonly fingerprint: string;
  /** Differs if the source can have changed. Unlike the fingerprint, it remains the same after a move. */
  readonly version: string;
  /**
   * Change time and inode of a local file (see `changeOf`). If only this differs, the content can be other content, so
   * the MD5 decides. Undefined for other sources, whose version covers the content.
   */
  readonly change?: string;
}

/** A decision; `remember` is its entry in the memory for the next run. */
export interface Verdict {
  readonly decision: SyncDecision;
  readonly remember?: RememberedFile;
}

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

/** How a plan recognises an unchanged source. */
type Compared = Pick<SyncScope, 'checksum' | 'ignoreInode'>;

/** Decides about the sources of a sync, one by one, from the destination's Files and the memory of the last run. */
export class SyncPlan {
  readonly #files: Packed<ListedFile>;
  readonly #filesById: PackedIndex<ListedFile>;
  /** By names in one Unicode form (see `nameKey`), like paths. */
  readonly #newestByName: PackedIndex<ListedFile>;
  readonly #remembered: Packed<RememberedFile>;
  readonly #rememberedByPath: PackedIndex<RememberedFile>;
  /** Whether several entries have the same path, of which the last one counts. Only a forged memory has such entries. */
  #repeatsPaths = false;
  /** The last one of each File. */
  readonly #rememberedByFileId: PackedIndex<RememberedFile>;
  /** Files of this sync at the destination, by size and MD5, at the first source without a File of its name. */
  #content: { readonly rows: PackedIndex<RememberedFile>; readonly sizes: ReadonlySet<number> } | undefined;
  readonly #compared: Compared;

  /**
   * @param files of the destination, newest first where seconds tie
   * @param compared properties of a source that show whether it is unchanged
   */
  constructor(files: Iterable<ListedFile>, remembered: Iterable<RememberedFile>, compared: Compared = {}) {
    this.#compared = compared;
    this.#files = Packed.of(files);
    this.#filesById = new PackedIndex(this.#files, ({ id }) => id);
    this.#newestByName = new PackedIndex(this.#files, ({ filename }) => nameKey(filename));
    let position = 0;
    for (const { id, filename, createdAt } of this.#files) {
      this.#filesById.set(id, position);
      this.#newestByName.set(nameKey(filename), position, (newest) => createdAt > newest.createdAt);
      position++;
    }
    this.#remembered = Packed.of(remembered);
    this.#rememberedByPath = new PackedIndex(this.#remembered, ({ path }) => nameKey(path));
    this.#rememberedByFileId = new PackedIndex(this.#remembered, ({ fileId }) => fileId);
    position = 0;
    for (const { path, fileId } of this.#remembered) {
      this.#rememberedByPath.set(nameKey(path), position, () => (this.#repeatsPaths = true));
      this.#rememberedByFileId.set(fileId, position);
      position++;
    }
  }

  /** Whether the destination has a File. */
  hasFile(id: string): boolean {
    return this.#filesById.get(id) !== undefined;
  }

  /** Returns the decision about a source; undefined if its MD5 is required (see `settle`). */
  judge(source: ListedSource, filename: string): Verdict | undefined {
    const newest = this.#newestByName.get(nameKey(filename));
    const known = this.#rememberedByPath.get(nameKey(source.path));
    const isAsKnown =
      known?.sizeBytes === source.sizeBytes &&
      known.version === source.version &&
      !this.#mayBeOtherContent(known, source);
    if (!newest) {
      const file = isAsKnown ? this.#filesById.get(known.fileId) : undefined;
      if (file?.bytes === source.sizeBytes) {
        return { decision: decisionOf('known-content', source, filename, file) };
      }
      return this.#byContent().sizes.has(source.sizeBytes)
        ? undefined
        : { decision: decisionOf('new', source, filename) };
    }
    if (this.#sizeOf(newest) !== source.sizeBytes) return { decision: decisionOf('changed', source, filename, newest) };
    const md5 = known?.fileId === newest.id ? known.md5 : this.#rememberedByFileId.get(newest.id)?.md5;
    if (md5 === undefined) {
      // A File of another client: only the times can be compared, and the File's time is in whole seconds.
      const isSame = newest.createdAt * 1000 >= source.mtimeMs;
      return { decision: decisionOf(isSame ? 'same' : 'changed', source, filename, newest) };
    }
    if (isAsKnown && known.fileId === newest.id) {
      const decision = decisionOf('same', source, filename, newest);
      // The memory of an earlier version has no creation time, without which the File would never be deleted, and no
      // change time, without which a change that keeps size and time would not be detected.
      const isWhole = known.change !== undefined || source.change === undefined || known.md5 === null;
      if (known.createdAt === newest.createdAt && isWhole) return { decision };
      return { decision, remember: { ...known, createdAt: newest.createdAt, ...changeOfEntry(source) } };
    }
    return md5 === null ? { decision: decisionOf('changed', source, filename, newest) } : undefined;
  }

  /** Like `judge`, with the MD5 of the source. */
  settle(source: ListedSource, filename: string, md5: string): Verdict {
    const newest = this.#newestByName.get(nameKey(filename));
    // A File of this name with other content has priority over a File of another name with the same content: the newest File of a name must have the new bytes.
    const file = newest ?? this.#fileOf(source.sizeBytes, md5);
    if (!file || (newest && this.#rememberedByFileId.get(newest.id)?.md5 !== md5)) {
      return { decision: decisionOf(newest ? 'changed' : 'new', source, filename, newest) };
    }
    const { path, sizeBytes, version } = source;
    const remember = {
      path,
      sizeBytes,
      version,
      fileId: file.id,
      md5,
      createdAt: file.createdAt,
      ...changeOfEntry(source),
    };
    const known = this.#rememberedByPath.get(nameKey(path));
    const isAsKnown = known !== undefined && isSameEntry(known, remember);
    if (isAsKnown && newest) return { decision: decisionOf('same', source, filename, file) };
    return {
      decision: decisionOf('known-content', source, filename, file),
      remember: isAsKnown ? undefined : remember,
    };
  }

  /**
   * Files of this sync whose sources are deleted: each File once, and none that a listed path still leads to. A memory can
   * be forged, so a File is deleted only if it has the remembered size and creation time, and the name that this sync
   * gives to the path. A File that was recognised under a second path is deleted by the row of its first path.
   */
  gone({ isListed, nameOf, postponedSizes, from, recognised = [] }: GoneQuery): Gone {
    const deletions = new Map<string, GoneFile>();
    const held = new Map<string, HeldFile>();
    for (const entry of this.#entries(recognised)) {
      const { path, fileId } = entry;
      if (isListed(path) || deletions.has(fileId)) continue;
      const file = this.#filesById.get(fileId);
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
    for (const { path, fileId } of this.#entries(recognised)) {
      if ((!deletions.has(fileId) && !held.has(fileId)) || !isListed(path)) continue;
      deletions.delete(fileId);
      held.delete(fileId);
    }
    return {
      deletions: [...deletions.values()].toSorted((a, b) => comparePaths(a.path, b.path)),
      held: [...held.values()].filter(({ fileId }) => !deletions.has(fileId)),
    };
  }

  /** Remembered paths that are no longer on either side. */
  forgettable(isListed: (path: string) => boolean): ForgottenFile[] {
    const found: ForgottenFile[] = [];
    for (const { path, fileId } of this.#remembered) {
      if (!this.hasFile(fileId) && !isListed(path)) found.push({ path, fileId });
    }
    return found;
  }

  /** Whether only the MD5 can decide about a source of the known size and time. Without an MD5, size and time decide. */
  #mayBeOtherContent(known: RememberedFile, { change }: ListedSource): boolean {
    if (known.md5 === null) return false;
    if (this.#compared.checksum) return true;
    if (known.change === undefined || change === undefined) return false;
    const compared = (one: string) => (this.#compared.ignoreInode ? one.split('.')[0] : one);
    return compared(known.change) !== compared(change);
  }

  /** The memory with newer entries. */
  *#entries(newer: readonly RememberedFile[]): Iterable<RememberedFile> {
    const newerByPath = new Map(newer.map((entry) => [nameKey(entry.path), entry]));
    const earlier = this.#repeatsPaths
      ? new Map([...this.#remembered].map((entry) => [nameKey(entry.path), entry])).values()
      : this.#remembered;
    for (const entry of earlier) if (!newerByPath.has(nameKey(entry.path))) yield entry;
    yield* newerByPath.values();
  }

  #byContent() {
    if (this.#content) return this.#content;
    const keyOf = (entry: RememberedFile) => {
      const bytes = this.#bytesOf(entry);
      return bytes === undefined || entry.md5 === null ? undefined : contentKey(bytes, entry.md5);
    };
    const rows = new PackedIndex(this.#remembered, keyOf);
    const sizes = new Set<number>();
    let position = 0;
    for (const entry of this.#remembered) {
      const bytes = this.#bytesOf(entry);
      if (bytes !== undefined && entry.md5 !== null) {
        rows.set(contentKey(bytes, entry.md5), position);
        sizes.add(bytes);
      }
      position++;
    }
    return (this.#content = { rows, sizes });
  }

  #fileOf(sizeBytes: number, md5: string): ListedFile | undefined {
    const entry = this.#byContent().rows.get(contentKey(sizeBytes, md5));
    return entry && this.#filesById.get(entry.fileId);
  }

  /** Undefined if the File of an entry does not exist. */
  #bytesOf({ fileId, sizeBytes }: RememberedFile): number | undefined {
    const file = this.#filesById.get(fileId);
    return file && (file.bytes ?? sizeBytes);
  }

  /** Undefined if neither the service nor the memory has it: such a File counts as a different one. */
  #sizeOf(file: ListedFile): number | undefined {
    return file.bytes ?? this.#rememberedByFileId.get(file.id)?.sizeBytes;
  }
}

function isSameEntry(one: RememberedFile, other: RememberedFile): boolean {
  return rememberedNames.every((name) => one[name] === other[name]);
}

const rememberedNames = ['path', 'sizeBytes', 'version', 'fileId', 'md5', 'createdAt', 'change'] as const;

function changeOfEntry({ change }: ListedSource): Pick<RememberedFile, 'change'> {
  return change === undefined ? {} : { change };
}

function reasonToKeep(entry: RememberedFile, file: ListedFile, filename: string): HeldFile['why'] | undefined {
  if (!isSameName(file.filename, filename)) return 'name';
  if (file.bytes !== entry.sizeBytes) return 'size';
  if (entry.createdAt === undefined) return 'no creation time';
  return file.createdAt === entry.createdAt ? undefined : 'creation time';
}

/** By code units, which is the same everywhere. */
export function comparePaths(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

const actions = { new: 'upload', changed: 'upload', same: 'skip', 'known-content': 'skip' } as const;

function decisionOf(
  why: keyof typeof actions,
  { path, sizeBytes }: ListedSource,
  filename: string,
  file?: ListedFile,
): SyncDecision {
  return { action: actions[why], why, path, filename, bytes: sizeBytes, fileId: file?.id };
}

function contentKey(sizeBytes: number, md5: string): string {
  return `${sizeBytes} ${md5}`;
}

/** The part of a request that decides what a sync does. */
export function syncScope(request: FullSyncRequest): SyncScope {
  const { source, purpose, destination, prefix, include, exclude, minAgeMs, upload } = request;
  return {
    source,
    purpose,
    destination,
    prefix,
    include,
    exclude,
    minAgeMs: minAgeMs || undefined,
    checksum: request.checksum || undefined,
    manifest: request.manifest,
    ignoreInode: upload.ignoreInode || undefined,
  };
}
