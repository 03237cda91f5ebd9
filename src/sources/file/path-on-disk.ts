import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nameKey } from '../../core/text/name-form.ts';

/**
 * Returns the path of a file or directory in the Unicode form of the disk: a user types NFC, and macOS can store NFD.
 * Returns the path unchanged if it exists, or if no entry or several entries match.
 */
export async function pathOnDisk(path: string): Promise<string> {
  if (nameKey(path) === path && path === path.normalize('NFD')) return path;
  if (await exists(path)) return path;
  let found = path.startsWith('/') ? '/' : '';
  for (const segment of path.split('/').filter((one) => one !== '')) {
    const next = join(found, segment);
    if (await exists(next)) {
      found = next;
      continue;
    }
    const entries = await readdir(found || '.').catch(() => []);
    const [only, ...others] = entries.filter((entry) => nameKey(entry) === nameKey(segment));
    if (only === undefined || others.length > 0) return path;
    found = join(found, only);
  }
  return found;
}

function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
