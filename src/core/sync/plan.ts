import type { SyncScope } from '../../contracts/plan-sync.ts';
import type { ForgottenFile, FullSyncRequest, RememberedFile, SyncDecision } from '../../contracts/sync.ts';
import type { ListedFile } from '../../contracts/upload.ts';
import { forgettable, goneFiles, type Gone, type GoneQuery } from './gone.ts';
import { KnownFiles } from './known-files.ts';
import type { ListedSource } from './listed-source.ts';
import type { Packed } from './packed.ts';

/** A decision; `remember` is its entry in the memory for the next run. */
export interface Verdict {
  readonly decision: SyncDecision;
  readonly remember?: RememberedFile;
}

/** How a plan recognises an unchanged source. */
type Compared = Pick<SyncScope, 'checksum' | 'ignoreInode'>;

/** Decides about the sources of a sync, one by one, from the destination's Files and the memory of the last run. */
export class SyncPlan {
  readonly #known: KnownFiles;
  readonly #compared: Compared;

  /**
   * @param files of the destination, newest first where seconds tie
   * @param compared properties of a source that show whether it is unchanged
   * @param rows empty list for the memory
   */
  constructor(
    files: Iterable<ListedFile>,
    remembered: Iterable<RememberedFile>,
    compared: Compared = {},
    rows?: Packed<RememberedFile>,
  ) {
    this.#compared = compared;
    this.#known = new KnownFiles(files, rows);
    for (const row of remembered) this.remember(row);
  }

  /** Adds a row of the memory, before the first source. @returns the position of an earlier row of its path */
  remember(row: RememberedFile): number | undefined {
    return this.#known.remember(row);
  }

  /** Whether a source is certainly unchanged. Otherwise `judge` decides. */
  isUnchanged(source: ListedSource, filename: string): boolean {
    return this.#compared.checksum !== true && this.#known.isUnchanged(source, filename);
  }

  /** Returns the decision about a source; undefined if its MD5 is required (see `settle`). */
  judge(source: ListedSource, filename: string): Verdict | undefined {
    const newest = this.#known.newest(filename);
    const known = this.#known.entry(source.path);
    const isAsKnown =
      known?.sizeBytes === source.sizeBytes &&
      known.version === source.version &&
      !this.#mayBeOtherContent(known, source);
    if (!newest) {
      const file = isAsKnown ? this.#known.file(known.fileId) : undefined;
      if (file?.bytes === source.sizeBytes) {
        return { decision: decisionOf('known-content', source, filename, file) };
      }
      return this.#known.hasSize(source.sizeBytes) ? undefined : { decision: decisionOf('new', source, filename) };
    }
    if (this.#known.sizeOf(newest) !== source.sizeBytes)
      return { decision: decisionOf('changed', source, filename, newest) };
    const md5 = known?.fileId === newest.id ? known.md5 : this.#known.entryOfFile(newest.id)?.md5;
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
    const newest = this.#known.newest(filename);
    // A File of this name with other content has priority over a File of another name with the same content: the newest File of a name must have the new bytes.
    const file = newest ?? this.#known.fileOf(source.sizeBytes, md5);
    if (!file || (newest && this.#known.entryOfFile(newest.id)?.md5 !== md5)) {
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
    const known = this.#known.entry(path);
    const isAsKnown = known !== undefined && isSameEntry(known, remember);
    if (isAsKnown && newest) return { decision: decisionOf('same', source, filename, file) };
    return {
      decision: decisionOf('known-content', source, filename, file),
      remember: isAsKnown ? undefined : remember,
    };
  }

  /** Files of this sync whose sources are deleted. */
  gone(query: GoneQuery): Gone {
    return goneFiles(this.#known, query);
  }

  /** Remembered paths that are no longer on either side. */
  forgettable(isListed: (path: string) => boolean): ForgottenFile[] {
    return forgettable(this.#known, isListed);
  }

  /** Version of a source in the memory. */
  versionOf(path: string): string | undefined {
    return this.#known.entry(path)?.version;
  }

  hasFile(id: string): boolean {
    return this.#known.hasFile(id);
  }

  /** Whether only the MD5 can decide about a source of the known size and time. Without an MD5, size and time decide. */
  #mayBeOtherContent(known: RememberedFile, { change }: ListedSource): boolean {
    if (known.md5 === null) return false;
    if (this.#compared.checksum) return true;
    if (known.change === undefined || change === undefined) return false;
    const compared = (one: string) => (this.#compared.ignoreInode ? one.split('.')[0] : one);
    return compared(known.change) !== compared(change);
  }
}

function isSameEntry(one: RememberedFile, other: RememberedFile): boolean {
  return rememberedNames.every((name) => one[name] === other[name]);
}

const rememberedNames = ['path', 'sizeBytes', 'version', 'fileId', 'md5', 'createdAt', 'change'] as const;

function changeOfEntry({ change }: ListedSource): Pick<RememberedFile, 'change'> {
  return change === undefined ? {} : { change };
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
