import { FailureType } from '../../contracts/failures.ts';
import type { SyncProblem } from '../../contracts/sync.ts';
import { nameKey } from '../text/name-form.ts';
import type { ListedSource } from './listed-source.ts';

export interface NamedSource extends ListedSource {
  readonly filename: string;
}

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
  if (PRINTABLE.test(filename)) return undefined;
  // A decoder writes this character for bytes that are not UTF-8. Such a path cannot be opened.
  if (filename.includes('\uFFFD')) return 'its name is not UTF-8. Rename it';
  if (/\p{Cc}/u.test(filename)) return 'its name contains control characters. Rename it';
  return undefined;
}

/** Printable ASCII, as in most names. This check is several times as fast as those of Unicode. */
export const PRINTABLE = /^[\x20-\x7e]*$/;

/** Sets the File name of each source, and reports sources whose name is invalid or in use. */
export function nameSources(entries: readonly ListedSource[], prefix: string) {
  const named: NamedSource[] = [];
  const problems: SyncProblem[] = [];
  const pathByName = new Map<string, string>();
  for (const { path } of entries) {
    const filename = syncFileName(prefix, path);
    const other = pathByName.get(filename);
    // Sorted, so that of two paths that differ only in their form, the same path always gets the name.
    if (other === undefined || (nameKey(other) === nameKey(path) && nameKey(path) === path)) {
      pathByName.set(filename, path);
    }
  }
  for (const source of entries) {
    const { path } = source;
    const filename = syncFileName(prefix, path);
    const other = pathByName.get(filename) as string;
    const message = syncFileNameProblem(filename) ?? (other === path ? undefined : nameInUse(filename, path, other));
    if (message === undefined) named.push({ ...source, filename });
    else problems.push({ path, failureType: FailureType.SourceUnusable, message });
  }
  return { named, problems };
}

function nameInUse(filename: string, path: string, other: string): string {
  if (nameKey(path) === nameKey(other)) {
    return `its name differs from that of another file only in its Unicode form (${formOf(path)}, ${formOf(other)}), so both Files would have the same name. Rename one of them`;
  }
  return `its File would have the same name as that of ${other} (${filename}). Rename one of them`;
}

function formOf(path: string): string {
  if (path === path.normalize('NFC')) return 'NFC';
  return path === path.normalize('NFD') ? 'NFD' : 'mixed';
}
