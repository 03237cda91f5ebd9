import { sep } from 'node:path';

/** Whether an absolute path is one of `places`, or in one of them. */
export function isInOneOf(path: string, places: readonly string[]): boolean {
  return places.some((place) => path === place || path.startsWith(place.endsWith(sep) ? place : `${place}${sep}`));
}
