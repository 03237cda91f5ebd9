import { lstatSync, type BigIntStats, type Dirent } from 'node:fs';
import { lstat, opendir, readdir, realpath, stat, statfs } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { FailureType } from '../../contracts/failures.ts';
import type { FolderContainer } from '../../contracts/sources.ts';
import type { SyncProblem } from '../../contracts/sync.ts';
import { byPath, comparePaths, type ListedSource } from '../../core/sync/listed-source.ts';
import { SourceMissingError, SourceReadError, SourceUnusableError } from '../../errors.ts';
import { Breather, type LeftOut, type Listing, type ListOptions } from '../listing/listing.ts';
import { FilePermission, type FileGuard } from './permission.ts';
import { identitiesOf } from './source.ts';
import { mapFileError } from './errors.ts';
import type { PathFilter } from '../listing/path-filter.ts';
import { realPlace } from './paths.ts';
import type { FileSettings } from '../source-settings.ts';

/** More would only wait for free threads. */
const STATS_AT_A_TIME = 16;

/** These texts do not show whether the target exists. */
const LEADS_OUT = 'is a link to a target that is not permitted. For a sync, permit its target with --root';
const NOT_UTF8 = 'its name, or that of its directory, is not UTF-8. Rename it';
const NOT_PERMITTED = 'belongs to the system, to Longhaul or to its secrets, and is never uploaded';

/** File systems of this machine: ext4, XFS, Btrfs, tmpfs, overlayfs, ZFS, F2FS (`man 2 statfs`). */
const LOCAL_TYPES = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010]);

interface Folder {
  readonly path: string;
  /** Its real path. */
  readonly real: string;
  readonly isLink: boolean;
}

/**
 * Lists the files of a directory and its subdirectories. Links to permitted targets are followed: the target has the name
 * of the link. A directory that is reachable by two paths is listed once, under its real path if it is in this folder.
 *
 * @throws SourceForbiddenError, SourceNotNamedError, SourceMissingError, SourceUnusableError, SourceReadError for the directory itself. Errors of its entries are returned as problems
 */
export async function listFolder(
  { path: root }: FolderContainer,
  options: ListOptions,
  settings?: FileSettings,
): Promise<Listing> {
  if (!isAbsolute(root)) throw new SourceUnusableError(`${root} is not an absolute path. Use an absolute path.`);
  const permission = new FilePermission(settings);
  await permission.assertPath(root);
  const stats = await mapFileError(root, stat(root));
  if (!stats.isDirectory())
    throw new SourceUnusableError(`${root} is not a directory. Use the directory that contains it.`);
  await mapFileError(
    root,
    opendir(root).then((directory) => directory.close()),
  );
  const walk = new FolderWalk(root, permission, options);
  await walk.run();
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
  readonly leftOut: LeftOut[] = [];
  readonly unseen: string[] = [];
  isComplete = true;
  readonly #root: string;
  readonly #permission: FilePermission;
  readonly #filter: PathFilter;
  readonly #onEntry: (entry: ListedSource) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #breather = new Breather();
  /** Device of the directory, if its file system is local. */
  #localDevice: bigint | undefined;
  readonly #folders: Folder[] = [];
  /** Read after all real directories, so that a directory is listed under its real path. */
  readonly #linkedFolders: Folder[] = [];
  readonly #seen = new Set<string>();

  constructor(root: string, permission: FilePermission, { filter, signal, onEntry }: ListOptions) {
    this.#onEntry = onEntry ?? ((entry) => this.entries.push(entry));
    this.#root = root;
    this.#permission = permission;
    this.#filter = filter;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const real = await mapFileError(this.#root, realpath(this.#root));
    const type = await statfs(real).then(
      (found) => found.type >>> 0,
      () => undefined,
    );
    if (type !== undefined && LOCAL_TYPES.has(type)) this.#localDevice = (await lstat(real, { bigint: true })).dev;
    this.#folders.push({ path: '', real, isLink: false });
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
      // The directory can have been replaced by a link to a target that is not permitted.
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
        const entries = rest.splice(0, STATS_AT_A_TIME);
        const isLocal = dev === this.#localDevice;
        const guard = isLocal ? await this.#permission.guard(real) : undefined;
        const others = guard ? entries.filter((entry) => !this.#lookNow(folder, entry, guard)) : entries;
        if (others.length > 0) await Promise.all(others.map((entry) => this.#look(folder, entry, isLocal)));
        await this.#breather.breathe();
      }
    } catch (error) {
      this.isComplete = false;
      this.#tell(path, error);
    }
  }

  /** Adds a regular file on a local disk, without a promise. @returns false if `#look` must decide */
  #lookNow(folder: Folder, entry: Dirent, guard: FileGuard): boolean {
    if (!entry.isFile()) return false;
    const path = pathIn(folder, entry);
    // `join` would take longer, and both parts are normalized.
    const real = folder.real === '/' ? `/${entry.name}` : `${folder.real}/${entry.name}`;
    if (guard.mayBeProtected(real)) return false;
    if (!this.#filter.takes(path)) return true;
    const stats = statusNow(real);
    if (!stats?.isFile() || guard.isSecret(stats)) return false;
    this.#add(path, stats);
    return true;
  }

  async #look(folder: Folder, entry: Dirent, isLocal: boolean): Promise<void> {
    const path = pathIn(folder, entry);
    const real = join(folder.real, entry.name);
    if (entry.isDirectory()) {
      if (!this.#filter.skipsFolder(path)) this.#folders.push({ path, real, isLink: false });
      return;
    }
    // Only the target of a link shows whether it is a directory. The link can be skipped if such a directory is excluded.
    const takes = this.#filter.takes(path);
    if (!takes && (!entry.isSymbolicLink() || this.#filter.skipsFolder(path))) return;
    const absolute = join(this.#root, path);
    try {
      const target = entry.isSymbolicLink() ? await this.#targetOf(absolute, real) : real;
      if (target === undefined) return this.#leaveUnseen(path, LEADS_OUT);
      if (await this.#permission.isProtected(target)) return this.#leaveUnseen(path, NOT_PERMITTED);
      // Not `stat`: the entry can have been replaced by a link.
      const stats = await mapFileError(absolute, statusOf(target, isLocal && target === real));
      if (stats.isDirectory()) this.#linkedFolders.push({ path, real: target, isLink: true });
      else if (takes && (await this.#permission.isSecret(stats))) this.#leaveUnseen(path, NOT_PERMITTED);
      else if (takes) this.#add(path, stats);
    } catch (error) {
      // An entry that was deleted after the directory was read is missing. A broken link is not.
      const isRemoved =
        error instanceof SourceMissingError && !entry.isSymbolicLink() && !entry.name.includes('\uFFFD');
      if (takes && !isRemoved) this.#tell(path, error);
    }
  }

  /** The target of a link; undefined if it is not permitted, whether it exists or not. */
  async #targetOf(absolute: string, link: string): Promise<string | undefined> {
    if (!(await this.#permission.permits(await realPlace(link)))) return undefined;
    const target = await mapFileError(absolute, realpath(link));
    // The link can have changed.
    return (await this.#permission.permits(target)) ? target : undefined;
  }

  #add(path: string, stats: BigIntStats): void {
    const sizeBytes = Number(stats.size);
    if (!stats.isFile()) return this.#leaveOut(path, 'is a pipe, a socket or a device, not a regular file');
    if (sizeBytes === 0) return this.#leaveOut(path, 'is empty', true);
    this.#onEntry({
      path,
      sizeBytes,
      mtimeMs: Number(stats.mtimeNs) / 1e6,
      ...identitiesOf(stats),
    });
  }

  #leaveUnseen(path: string, message: string): void {
    this.unseen.push(path);
    this.#leaveOut(path, message);
  }

  #leaveOut(path: string, message: string, isEmpty?: boolean): void {
    this.leftOut.push({ path, failureType: FailureType.SourceUnusable, message, isEmpty });
  }

  #tell(path: string, error: unknown): void {
    const { message } = error as Error;
    if (error instanceof SourceMissingError && path.includes('\uFFFD')) {
      // A directory can contain such a name, but it cannot be opened.
      this.problems.push({ path, failureType: FailureType.SourceUnusable, message: NOT_UTF8 });
    } else if (error instanceof SourceMissingError) {
      this.problems.push({ path, failureType: FailureType.SourceMissing, message });
    } else if (error instanceof SourceReadError) {
      // A storage error can hide other entries too.
      this.isComplete = false;
      this.problems.push({ path, failureType: FailureType.SourceUnavailable, message });
    } else if (error instanceof SourceUnusableError) {
      this.problems.push({ path, failureType: FailureType.SourceUnusable, message });
    } else throw error;
  }
}

function pathIn(folder: Folder, { name }: Dirent): string {
  return folder.path === '' ? name : `${folder.path}/${name}`;
}

const LOOK = { bigint: true, throwIfNoEntry: false } as const;

/** Undefined if the status cannot be read. */
function statusNow(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, LOOK);
  } catch {
    return undefined;
  }
}

/**
 * On a local disk, the status is returned in microseconds, a tenth of the time of a call in another thread. On a network
 * file system, a synchronous call could block this process.
 */
async function statusOf(path: string, isLocal: boolean): Promise<BigIntStats> {
  return isLocal ? lstatSync(path, { bigint: true }) : lstat(path, { bigint: true });
}
