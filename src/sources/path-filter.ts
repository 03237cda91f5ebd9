import { compileGlobs } from '../core/glob.ts';

export interface PathFilter {
  /** Whether a file is in. */
  readonly takes: (path: string) => boolean;
  /** Whether nothing below a directory can be in. */
  readonly skipsFolder: (path: string) => boolean;
}

/**
 * Hidden files count like all others.
 *
 * @param include what is in; everything when it is empty
 * @param exclude what is out all the same
 * @throws GlobError for globs that `globListProblem` reports
 */
export function createPathFilter(include: readonly string[], exclude: readonly string[]): PathFilter {
  const included = include.length > 0 ? compileGlobs(include.map(normalized)) : () => true;
  const excluded = compileGlobs(exclude.map(normalized));
  const wholeFolders = exclude.map(normalized).filter((glob) => glob.endsWith('/**'));
  const skipsFolder = compileGlobs(wholeFolders.map((glob) => glob.slice(0, -'/**'.length)));
  return { takes: (path) => included(path) && !excluded(path), skipsFolder };
}

/**
 * A glob without a slash is about the name in any folder, one with a slash about the path. `logs/` is the folder with
 * all that is in it; `./` and a leading slash are the source itself.
 */
function normalized(glob: string): string {
  const inner = glob.replace(/^(\.?\/)+/, '');
  if (inner.endsWith('/')) return `${inner}**`;
  return glob.includes('/') ? inner : `**/${inner}`;
}
