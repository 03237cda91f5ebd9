import type { Dirent } from 'node:fs';
import { chmod, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import pMap from 'p-map';

export const DIRECTORY_MODE = 0o700;
export const FILE_MODE = 0o600;

/** Entries that are changed at the same time. */
const CONCURRENCY = 32;

/**
 * Makes existing data readable for this user only. The data directory itself is changed only if it contains nothing else:
 * an operator can name a directory that others use, such as `/tmp`.
 */
export async function makePrivate(paths: {
  readonly root: string;
  readonly incoming: string;
  readonly uploads: string;
  readonly batches: string;
}) {
  const own = new Set([paths.incoming, paths.uploads, paths.batches]);
  const entries = await readdir(paths.root);
  if (entries.every((name) => own.has(join(paths.root, name)))) await chmod(paths.root, DIRECTORY_MODE);
  const folders = [paths.incoming, paths.uploads, paths.batches].filter((path) => entries.includes(basename(path)));
  for (const folder of folders) await makeAllPrivate(folder);
}

async function makeAllPrivate(folder: string): Promise<void> {
  await chmod(folder, DIRECTORY_MODE);
  const below = await readdir(folder, { recursive: true, withFileTypes: true });
  const makeOnePrivate = async (entry: Dirent) => {
    // A link can have any target.
    if (entry.isSymbolicLink()) return;
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? DIRECTORY_MODE : FILE_MODE);
  };
  await pMap(below, makeOnePrivate, { concurrency: CONCURRENCY });
}

/**
 * Writes a file atomically: a reader, also one after a SIGKILL, reads the old content or the new one. It does not flush to
 * the device, because a development server need not survive a power failure.
 */
export async function writeFileAtomic(path: string, content: string): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await writeFile(temporary, content, { mode: FILE_MODE });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
