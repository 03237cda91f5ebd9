import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { realPlace } from './paths.ts';

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
  readonly copies: readonly string[];
  /** Of the files: `device inode`. */
  readonly inodes: ReadonlySet<string>;
}

/** Views of processes, devices and the kernel: `/proc/self/environ` has keys, and a device can block indefinitely. */
const SYSTEM_FOLDERS = ['/proc', '/sys', '/dev'];

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
  const [realFiles, inodes, realFolders, realCopies] = await Promise.all([
    withReal(files),
    Promise.all(files.map(inodeOf)),
    withReal([...SYSTEM_FOLDERS, ...folders]),
    withReal(copies === undefined ? [] : [copies]),
  ]);
  return {
    files: new Set(realFiles),
    folders: realFolders,
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
