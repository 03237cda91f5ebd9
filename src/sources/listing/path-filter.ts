import type { UnmatchedGlob } from '../../contracts/sync.ts';
import { clip } from '../../core/text/clip.ts';
import { compileGlobs } from '../../core/glob/glob.ts';

export interface PathFilter {
  /** Whether a file is in. */
  readonly takes: (path: string) => boolean;
  /** Whether nothing below a directory can be in. */
  readonly skipsFolder: (path: string) => boolean;
}

/** A filter that records which of its globs matched. */
export interface WatchedFilter extends PathFilter {
  /** Globs that matched no path so far, at most 20. */
  readonly unmatched: () => UnmatchedGlob[];
}

const MAX_REPORTED = 20;
const MAX_GLOB_CHARACTERS = 256;

/**
 * Hidden files count like all others.
 *
 * @param include what is in; everything when it is empty
 * @param exclude what is out all the same
 * @throws GlobError for globs that `globListProblem` reports
 */
export function createPathFilter(include: readonly string[], exclude: readonly string[]): WatchedFilter {
  const included = include.length > 0 ? compileGlobs(include.map(normalized)) : () => true;
  const excluded = compileGlobs(exclude.map(normalized));
  const wholeFolders = exclude.map(normalized).filter((glob) => glob.endsWith('/**'));
  const skipsFolder = compileGlobs(wholeFolders.map(folderOf));
  const watch = new GlobWatch(include, exclude);
  return {
    takes: (path) => {
      watch.file(path);
      return included(path) && !excluded(path);
    },
    skipsFolder: (path) => {
      watch.folder(path);
      return skipsFolder(path);
    },
    unmatched: () => watch.unmatched(),
  };
}

interface WatchedGlob {
  readonly list: 'include' | 'exclude';
  readonly glob: string;
  readonly matches: (path: string) => boolean;
  /** Of `drafts/`: whether a path is the folder. */
  readonly isFolder: ((path: string) => boolean) | undefined;
  matchesFolder: boolean;
}

/** Globs that matched nothing yet: only these are tried again. */
class GlobWatch {
  #waiting: WatchedGlob[];

  constructor(include: readonly string[], exclude: readonly string[]) {
    this.#waiting = Object.entries({ include, exclude }).flatMap(([list, globs]) =>
      globs.map((glob) => {
        const full = normalized(glob);
        const isWhole = list === 'exclude' && full.endsWith('/**');
        return {
          list: list as WatchedGlob['list'],
          glob,
          matches: compileGlobs([full]),
          isFolder: isWhole ? compileGlobs([folderOf(full)]) : undefined,
          matchesFolder: false,
        };
      }),
    );
  }

  file(path: string): void {
    if (this.#waiting.length > 0) this.#waiting = this.#waiting.filter(({ matches }) => !matches(path));
  }

  /** A folder that is excluded as a whole is not listed: its files are matched by that. */
  folder(path: string): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter(({ isFolder }) => isFolder?.(path) !== true);
    for (const one of this.#waiting) one.matchesFolder ||= one.matches(path);
  }

  unmatched(): UnmatchedGlob[] {
    return this.#waiting.slice(0, MAX_REPORTED).map(({ list, glob, matchesFolder }) => ({
      list,
      glob: clip(glob, MAX_GLOB_CHARACTERS),
      matchesFolder: matchesFolder || undefined,
    }));
  }
}

function folderOf(glob: string): string {
  return glob.slice(0, -'/**'.length);
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
