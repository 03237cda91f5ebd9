import picomatch from 'picomatch';

/** Hidden files count like all others; what is out is said by `exclude`, not by a leading `!`. */
const OPTIONS = { dot: true, nonegate: true } as const satisfies picomatch.PicomatchOptions;

export interface PathFilter {
  /** Whether a file is in. */
  readonly takes: (path: string) => boolean;
  /** Whether nothing below a directory can be in. */
  readonly skipsFolder: (path: string) => boolean;
}

/**
 * @param include what is in; everything when it is empty
 * @param exclude what is out all the same
 */
export function createPathFilter(include: readonly string[], exclude: readonly string[]): PathFilter {
  const included = include.length > 0 ? picomatch(include.map(normalized), OPTIONS) : () => true;
  const excluded = exclude.length > 0 ? picomatch(exclude.map(normalized), OPTIONS) : () => false;
  const wholeFolders = exclude.map(normalized).filter((glob) => glob.endsWith('/**'));
  const skipsFolder = wholeFolders.length > 0 ? picomatch(wholeFolders, OPTIONS) : () => false;
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
