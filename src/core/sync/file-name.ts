import { nameKey } from '../text/name-form.ts';

/**
 * The File's name of a path within a sync's source. "File names with slashes" are not documented anywhere, so a path's
 * segments are joined by two underscores. Always in one Unicode form (NFC), so that a folder of macOS and its copy on Linux
 * have the same Files.
 */
export function syncFileName(prefix: string, path: string): string {
  return nameKey(prefix + path.replaceAll('/', '__'));
}

/** Why no File can have that name; undefined when it can. */
export function syncFileNameProblem(filename: string): string | undefined {
  // What a decoder writes for bytes that are no UTF-8: the name leads nowhere.
  if (filename.includes('\uFFFD')) return 'its name is not UTF-8; rename it';
  if (/\p{Cc}/u.test(filename)) return 'its name holds control characters; rename it';
  return undefined;
}
