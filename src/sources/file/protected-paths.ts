import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isInOneOf, realPlace } from './paths.ts';

/** Paths that no caller can read, even if a list permits them. */
export interface ProtectedPaths {
  /** Files with secrets: keys, credentials, the config file. Their hard links are recognised too. */
  readonly files: readonly string[];
  /** Directories with all their content. */
  readonly folders: readonly string[];
  /** Folder of copies of standard input in one of `folders`. Only the command that created a copy can read it. */
  readonly copies?: string | undefined;
}

/** The same with real paths, resolved now. */
export interface Protection {
  readonly files: ReadonlySet<string>;
  readonly folders: readonly string[];
  /** Whether a real path is one of the folders or in one of them, and not in a directory with files of users. */
  readonly isInFolders: (real: string) => boolean;
  readonly copies: readonly string[];
  /** Of the files: `device inode`. */
  readonly inodes: ReadonlySet<string>;
}

/** Views of processes, devices and the kernel: `/proc/self/environ` has keys, and a device can block indefinitely. */
const SYSTEM_FOLDERS = ['/proc', '/sys', '/dev'];

/** Directories in them with files of users: a file system in memory. Its devices and its links to system files are rejected. */
const USER_FOLDERS = ['/dev/shm'];

const NOTHING: ProtectedPaths = { files: [], folders: [] };

/** Key files are replaced rarely. A check for each small file of a sync would cost more than the file. */
const FRESH_MS = 1000;

const known = new WeakMap<ProtectedPaths, { readonly atMs: number; readonly protection: Promise<Protection> }>();

export function protectionOf(paths: ProtectedPaths = NOTHING): Promise<Protection> {
  const found = known.get(paths);
  const nowMs = Date.now();
  if (found && nowMs - found.atMs < FRESH_MS) return found.protection;
  const protection = look(paths);
  known.set(paths, { atMs: nowMs, protection });
  return protection;
}

async function look({ files, folders, copies }: ProtectedPaths): Promise<Protection> {
  const [realFiles, inodes, systemFolders, ownFolders, realCopies] = await Promise.all([
    withReal(files),
    Promise.all(files.map(inodeOf)),
    withReal(SYSTEM_FOLDERS),
    withReal(folders),
    withReal(copies === undefined ? [] : [copies]),
  ]);
  return {
    files: new Set(realFiles),
    folders: [...systemFolders, ...ownFolders],
    isInFolders: (real) =>
      isInOneOf(real, ownFolders) || (isInOneOf(real, systemFolders) && !isInOneOf(real, USER_FOLDERS)),
    copies: realCopies,
    inodes: new Set(inodes.filter((inode) => inode !== undefined)),
  };
}

/** A path as it is written, and its real path. */
async function withReal(paths: readonly string[]): Promise<string[]> {
  const both = paths.map(async (path) => [resolve(path), await realPlace(resolve(path))]);
  return (await Promise.all(both)).flat();
}

async function inodeOf(path: string): Promise<string | undefined> {
  const stats = await stat(path, { bigint: true }).catch(() => undefined);
  return stats && `${stats.dev} ${stats.ino}`;
}
