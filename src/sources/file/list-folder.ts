import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, opendir, readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { FailureType } from '../../contracts/failures.ts';
import { Limits } from '../../contracts/limits.ts';
import type { FolderContainer } from '../../contracts/sources.ts';
import type { SyncProblem } from '../../contracts/sync.ts';
import { formatBytes } from '../../core/text/format.ts';
import { comparePaths, type ListedSource } from '../../core/sync/plan.ts';
import { SourceMissingError, SourceReadError, SourceUnusableError } from '../../errors.ts';
import { Breather, type Listing, type ListOptions } from '../listing/listing.ts';
import { FilePermission } from './permission.ts';
import { changeOf, fingerprintOf } from './source.ts';
import { mapFileError } from './errors.ts';
import type { PathFilter } from '../listing/path-filter.ts';
import { realPlace } from './real-place.ts';
import type { FileSettings } from '../source-settings.ts';

/** More would only wait for the threads that do it. */
const STATS_AT_A_TIME = 16;

/** Neither tells anything about what is there. */
const LEADS_OUT = 'is a link that leads to what is not permitted; permit its target with --root';
const NOT_UTF8 = 'its name, or that of its directory, is not UTF-8; rename it';
const NOT_PERMITTED = 'belongs to the system, to Longhaul or to its secrets, and is never uploaded';

interface Folder {
  readonly path: string;
  /** Where it really is. */
  readonly real: string;
  readonly isLink: boolean;
}

/**
 * The files of a directory and of those below it. Links are followed where they lead to what is permitted: it counts under
 * the link's name, and a directory that two names lead to is listed once, under its own name where it has one here.
 *
 * @throws SourceForbiddenError, SourceNotNamedError, SourceMissingError, SourceUnusableError, SourceReadError for the directory itself; what lies within is told as a problem
 */
export async function listFolder(
  { path: root }: FolderContainer,
  options: ListOptions,
  settings?: FileSettings,
): Promise<Listing> {
  if (!isAbsolute(root)) throw new SourceUnusableError(`${root} is not an absolute path; give the whole path`);
  const permission = new FilePermission(settings);
  await permission.assertPath(root);
  const stats = await mapFileError(root, stat(root));
  if (!stats.isDirectory()) throw new SourceUnusableError(`${root} is no directory; name the directory that holds it`);
  await mapFileError(
    root,
    opendir(root).then((directory) => directory.close()),
  );
  const walk = new FolderWalk(root, permission, options);
  await walk.run();
  const byPath = (a: { path: string }, b: { path: string }) => comparePaths(a.path, b.path);
  return {
    entries: walk.entries.toSorted(byPath),
    problems: walk.problems.toSorted(byPath),
    leftOut: walk.leftOut.toSorted(byPath),
    unseen: walk.unseen,
    isComplete: walk.isComplete,
  };
}

class FolderWalk {
  readonly entries: ListedSource[] = [];
  readonly problems: SyncProblem[] = [];
  readonly leftOut: SyncProblem[] = [];
  readonly unseen: string[] = [];
  isComplete = true;
  readonly #root: string;
  readonly #permission: FilePermission;
  readonly #filter: PathFilter;
  readonly #signal: AbortSignal | undefined;
  readonly #breather = new Breather();
  readonly #folders: Folder[] = [];
  /** Only when no real directory is left, so that a directory goes by its own name. */
  readonly #linkedFolders: Folder[] = [];
  readonly #seen = new Set<string>();

  constructor(root: string, permission: FilePermission, { filter, signal }: ListOptions) {
    this.#root = root;
    this.#permission = permission;
    this.#filter = filter;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    this.#folders.push({ path: '', real: await mapFileError(this.#root, realpath(this.#root)), isLink: false });
    for (;;) {
      const folder = this.#folders.pop() ?? this.#linkedFolders.shift();
      if (!folder) return;
      this.#signal?.throwIfAborted();
      await this.#list(folder);
    }
  }

  async #list(folder: Folder): Promise<void> {
    const { path, real, isLink } = folder;
    const absolute = join(this.#root, path);
    try {
      // A directory may have been replaced by a link since it was seen, which must not lead out.
      if (!(await this.#permission.permits(await mapFileError(absolute, realpath(real))))) {
        return this.#leaveUnseen(path, NOT_PERMITTED);
      }
      const { dev, ino } = await mapFileError(absolute, lstat(real, { bigint: true }));
      if (this.#seen.has(`${dev} ${ino}`)) {
        if (isLink) this.#leaveOut(path, 'is a link to a directory that is listed already');
        return;
      }
      this.#seen.add(`${dev} ${ino}`);
      const found = await mapFileError(absolute, readdir(real, { withFileTypes: true }));
      const rest = found.toSorted((a, b) => comparePaths(a.name, b.name));
      while (rest.length > 0) {
        await Promise.all(rest.splice(0, STATS_AT_A_TIME).map((entry) => this.#look(folder, entry)));
        await this.#breather.breathe();
      }
    } catch (error) {
      this.isComplete = false;
      this.#tell(path, error);
    }
  }

  async #look(folder: Folder, entry: Dirent): Promise<void> {
    const path = folder.path === '' ? entry.name : `${folder.path}/${entry.name}`;
    const real = join(folder.real, entry.name);
    if (entry.isDirectory()) {
      if (!this.#filter.skipsFolder(path)) this.#folders.push({ path, real, isLink: false });
      return;
    }
    // A link has to be looked at to know whether it leads to a directory, and may be left unlooked at if that is out too.
    const takes = this.#filter.takes(path);
    if (!takes && (!entry.isSymbolicLink() || this.#filter.skipsFolder(path))) return;
    const absolute = join(this.#root, path);
    try {
      const target = entry.isSymbolicLink() ? await this.#targetOf(absolute, real) : real;
      if (target === undefined) return this.#leaveUnseen(path, LEADS_OUT);
      if (await this.#permission.isProtected(target)) return this.#leaveUnseen(path, NOT_PERMITTED);
      // Not the target of a link that the place has become meanwhile.
      const stats = await mapFileError(absolute, lstat(target, { bigint: true }));
      if (stats.isDirectory()) this.#linkedFolders.push({ path, real: target, isLink: true });
      else if (takes && (await this.#permission.isSecret(stats))) this.#leaveUnseen(path, NOT_PERMITTED);
      else if (takes) this.#add(path, stats);
    } catch (error) {
      // What was removed since the directory was read is simply not there; a link to nowhere is.
      const isRemoved =
        error instanceof SourceMissingError && !entry.isSymbolicLink() && !entry.name.includes('\uFFFD');
      if (takes && !isRemoved) this.#tell(path, error);
    }
  }

  /** Where a link leads; undefined if it leads to what is not permitted, whether it is there or not. */
  async #targetOf(absolute: string, link: string): Promise<string | undefined> {
    if (!(await this.#permission.permits(await realPlace(link)))) return undefined;
    const target = await mapFileError(absolute, realpath(link));
    // It may have been turned since.
    return (await this.#permission.permits(target)) ? target : undefined;
  }

  #add(path: string, stats: BigIntStats): void {
    const sizeBytes = Number(stats.size);
    if (!stats.isFile()) return this.#leaveOut(path, 'is no regular file (a pipe, socket or device)');
    if (sizeBytes === 0) return this.#leaveOut(path, 'is empty; there is nothing to upload');
    if (sizeBytes > Limits.maxFileBytes) {
      const message = `has ${formatBytes(sizeBytes)}; an Upload takes ${formatBytes(Limits.maxFileBytes)} at most: split the file`;
      this.problems.push({ path, failureType: FailureType.SourceUnusable, message });
      return;
    }
    this.entries.push({
      path,
      sizeBytes,
      mtimeMs: Number(stats.mtimeNs) / 1e6,
      fingerprint: fingerprintOf(stats),
      version: stats.mtimeNs.toString(36),
      change: changeOf(stats),
    });
  }

  #leaveUnseen(path: string, message: string): void {
    this.unseen.push(path);
    this.#leaveOut(path, message);
  }

  #leaveOut(path: string, message: string): void {
    this.leftOut.push({ path, failureType: FailureType.SourceUnusable, message });
  }

  #tell(path: string, error: unknown): void {
    const { message } = error as Error;
    if (error instanceof SourceMissingError && path.includes('\uFFFD')) {
      // Such a name can be read from its directory, and not be opened.
      this.problems.push({ path, failureType: FailureType.SourceUnusable, message: NOT_UTF8 });
    } else if (error instanceof SourceMissingError) {
      this.problems.push({ path, failureType: FailureType.SourceMissing, message });
    } else if (error instanceof SourceReadError) {
      // Trouble of the storage may hide other entries too.
      this.isComplete = false;
      this.problems.push({ path, failureType: FailureType.SourceUnavailable, message });
    } else if (error instanceof SourceUnusableError) {
      this.problems.push({ path, failureType: FailureType.SourceUnusable, message });
    } else throw error;
  }
}
