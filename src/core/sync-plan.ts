import type { RememberedFile, SyncDecision } from '../contracts/sync.ts';
import type { ListedFile } from '../contracts/upload.ts';

/** One entry of a container's listing. */
export interface ListedSource {
  /** Within the container, with `/` between its segments. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Unix milliseconds, with fractions. */
  readonly mtimeMs: number;
  /** As the source's reader tells it (see `SourceInfo.fingerprint`). */
  readonly fingerprint: string;
  /** Another one whenever the source may have changed; unlike the fingerprint it survives a move. */
  readonly version: string;
}

/** A decision; `remember` is what the next run has to know of it. */
export interface Verdict {
  readonly decision: SyncDecision;
  readonly remember?: RememberedFile;
}

/** Decides about the sources of one sync, one by one, from the destination's files and from what the last run knew. */
export class SyncPlan {
  readonly #filesById = new Map<string, ListedFile>();
  readonly #newestByName = new Map<string, ListedFile>();
  readonly #rememberedByPath = new Map<string, RememberedFile>();
  readonly #md5ByFileId = new Map<string, string | null>();
  /** Files of this sync that are there, by size and md5. */
  readonly #filesByContent = new Map<string, ListedFile>();
  readonly #knownSizes = new Set<number>();
  /** Of remembered Files, for those whose size the service does not report yet. */
  readonly #sizeByFileId = new Map<string, number>();

  /** @param files of the destination, newest first where seconds tie */
  constructor(files: readonly ListedFile[], remembered: readonly RememberedFile[]) {
    for (const file of files) {
      this.#filesById.set(file.id, file);
      const newest = this.#newestByName.get(file.filename);
      if (!newest || file.createdAt > newest.createdAt) this.#newestByName.set(file.filename, file);
    }
    for (const entry of remembered) this.#remember(entry);
  }

  /** What is to be done with a source; undefined when that takes its md5 (see `settle`). */
  judge(source: ListedSource, filename: string): Verdict | undefined {
    const newest = this.#newestByName.get(filename);
    const known = this.#rememberedByPath.get(source.path);
    const isAsKnown = known?.sizeBytes === source.sizeBytes && known.version === source.version;
    if (!newest) {
      const file = isAsKnown ? this.#filesById.get(known.fileId) : undefined;
      if (file) return { decision: decisionOf('known-content', source, filename, file) };
      return this.#knownSizes.has(source.sizeBytes) ? undefined : { decision: decisionOf('new', source, filename) };
    }
    if (this.#sizeOf(newest) !== source.sizeBytes) return { decision: decisionOf('changed', source, filename, newest) };
    const md5 = this.#md5ByFileId.get(newest.id);
    if (md5 === undefined) {
      // Somebody else's File: all that is known are the times, of which the File's is in whole seconds.
      const isSame = newest.createdAt * 1000 >= source.mtimeMs;
      return { decision: decisionOf(isSame ? 'same' : 'changed', source, filename, newest) };
    }
    if (isAsKnown && known.fileId === newest.id) return { decision: decisionOf('same', source, filename, newest) };
    return md5 === null ? { decision: decisionOf('changed', source, filename, newest) } : undefined;
  }

  /** As `judge`, with the md5 of the source. */
  settle(source: ListedSource, filename: string, md5: string): Verdict {
    const newest = this.#newestByName.get(filename);
    // A File of this name with other content counts more than the same content elsewhere: the name must lead to the new bytes.
    const file = newest ?? this.#filesByContent.get(contentKey(source.sizeBytes, md5));
    if (!file || (newest && this.#md5ByFileId.get(newest.id) !== md5)) {
      return { decision: decisionOf(newest ? 'changed' : 'new', source, filename, newest) };
    }
    const { path, sizeBytes, version } = source;
    return {
      decision: decisionOf('known-content', source, filename, file),
      remember: { path, sizeBytes, version, fileId: file.id, md5 },
    };
  }

  /**
   * Files of this sync whose sources are no more: each File once, and none that a listed path still leads to.
   *
   * @param isListed whether a path is in the source
   * @param recognised what `settle` wanted to be remembered
   */
  gone(isListed: (path: string) => boolean, recognised: readonly RememberedFile[] = []): SyncDecision[] {
    const remembered = new Map(this.#rememberedByPath);
    for (const entry of recognised) remembered.set(entry.path, entry);
    const taken = new Set([...remembered.values()].filter(({ path }) => isListed(path)).map(({ fileId }) => fileId));
    const decisions: SyncDecision[] = [];
    for (const { path, fileId } of remembered.values()) {
      const file = this.#filesById.get(fileId);
      if (!file || isListed(path) || taken.has(fileId)) continue;
      taken.add(fileId);
      const bytes = this.#sizeOf(file) ?? 0;
      decisions.push({ action: 'delete', why: 'gone', path, filename: file.filename, bytes, fileId });
    }
    return decisions.toSorted((a, b) => comparePaths(a.path, b.path));
  }

  /** Remembered paths that are on neither side any more. */
  forgettable(isListed: (path: string) => boolean): string[] {
    return [...this.#rememberedByPath.values()]
      .filter(({ path, fileId }) => !isListed(path) && !this.#filesById.has(fileId))
      .map(({ path }) => path);
  }

  #remember(entry: RememberedFile): void {
    this.#rememberedByPath.set(entry.path, entry);
    const file = this.#filesById.get(entry.fileId);
    if (!file) return;
    this.#md5ByFileId.set(file.id, entry.md5);
    this.#sizeByFileId.set(file.id, entry.sizeBytes);
    if (entry.md5 === null) return;
    const bytes = file.bytes ?? entry.sizeBytes;
    this.#filesByContent.set(contentKey(bytes, entry.md5), file);
    this.#knownSizes.add(bytes);
  }

  /** Undefined if neither the service nor the last run knows it: such a File counts as another one. */
  #sizeOf(file: ListedFile): number | undefined {
    return file.bytes ?? this.#sizeByFileId.get(file.id);
  }
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
  return { action: actions[why], why, path, filename, bytes: sizeBytes, ...(file ? { fileId: file.id } : {}) };
}

function contentKey(sizeBytes: number, md5: string): string {
  return `${sizeBytes} ${md5}`;
}
