import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nameKey } from '../../core/text/name-form.ts';

/**
 * The path of a file or directory as it is on the disk, where only the Unicode form of a name differs: a user types NFC,
 * and a disk that was written by macOS has NFD. A path that exists is returned as it is, as is one for which nothing or
 * more than one entry is found.
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
