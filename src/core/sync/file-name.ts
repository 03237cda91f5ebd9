import { nameKey } from '../text/name-form.ts';

/**
 * The File's name of a path within a sync's source. "File names with slashes" are not documented anywhere, so a path's
 * segments are joined by two underscores. Always in one Unicode form (NFC), so that a folder of macOS and its copy on Linux
 * have the same Files.
 */
export function syncFileName(prefix: string, path: string): string {
  return nameKey(prefix + path.replaceAll('/', '__'));
}

/** The problem of a File's name; undefined for a valid name. */
export function syncFileNameProblem(filename: string): string | undefined {
  // A decoder writes this character for bytes that are not UTF-8. Such a path cannot be opened.
  if (filename.includes('\uFFFD')) return 'its name is not UTF-8. Rename it';
  if (/\p{Cc}/u.test(filename)) return 'its name contains control characters. Rename it';
  return undefined;
}
