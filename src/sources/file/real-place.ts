import { readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';

/** As many as Linux follows. */
const MAX_LINKS = 40;

/**
 * Where a path really leads, also if nothing is there: the links on its way are followed as far as they exist. So a path
 * that is missing is not told from one that is there unless it may be.
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
