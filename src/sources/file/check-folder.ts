import { opendir, stat } from 'node:fs/promises';
import type { FolderContainer } from '../../contracts/sources.ts';
import { SourceMissingError } from '../../errors.ts';
import { FilePermission } from './permission.ts';
import { mapFileError } from './errors.ts';
import type { FileSettings } from '../source-settings.ts';

/** The file system that a directory is on; undefined if it cannot be read. */
export function deviceOf(path: string): Promise<bigint | undefined> {
  return stat(path, { bigint: true }).then(
    ({ dev }) => dev,
    () => undefined,
  );
}

/**
 * Checks that a folder can be read, independently of its files.
 *
 * @param listedDevice file system on which it was listed. After an unmount, an empty directory on another one remains
 * @throws as `listFolder` for the directory itself
 */
export async function checkFolder(
  { path }: FolderContainer,
  settings: FileSettings,
  listedDevice?: bigint,
): Promise<void> {
  await new FilePermission(settings).assertPath(path);
  const directory = await mapFileError(path, opendir(path));
  try {
    if ((await mapFileError(path, directory.read())) !== null || listedDevice === undefined) return;
  } finally {
    await directory.close();
  }
  const { dev } = await mapFileError(path, stat(path, { bigint: true }));
  if (dev === listedDevice) return;
  throw new SourceMissingError(`${path} is empty and on another file system than before. Mount the folder again.`);
}
