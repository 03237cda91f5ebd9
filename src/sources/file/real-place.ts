import { readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';

/** The limit of Linux. */
const MAX_LINKS = 40;

/**
 * Returns the real path, also if nothing exists there, by resolving the existing links. Therefore a missing path that is
 * not permitted cannot be distinguished from an existing one.
 */
export async function realPlace(path: string, links = 0): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    if (parent === path) return path;
    const folder = await realPlace(parent, links);
    const place = join(folder, basename(path));
    const target = links < MAX_LINKS ? await readlink(place).catch(() => undefined) : undefined;
    return target === undefined ? place : realPlace(resolve(folder, target), links + 1);
  }
}

/** Whether an absolute path is one of `places`, or in one of them. */
export function isInOneOf(path: string, places: readonly string[]): boolean {
  return places.some((place) => path === place || path.startsWith(place.endsWith(sep) ? place : `${place}${sep}`));
}
