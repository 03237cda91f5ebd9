import type { UnmatchedGlob } from '../../contracts/sync.ts';
import { clip } from '../../core/text/clip.ts';
import { compileGlobs } from '../../core/glob/glob.ts';

export interface PathFilter {
  /** Whether a file is included. */
  readonly takes: (path: string) => boolean;
  /** Whether no file below a directory can be included. */
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
 * Hidden files are matched like all others.
 *
 * @param include globs of included files; empty for all files
 * @param exclude globs that override `include`
 * @throws GlobError if `globListProblem` reports a problem
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

/** Globs without a match so far: only these are matched again. */
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

  /** A folder that is excluded completely is not listed, so that its glob counts as matched. */
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
 * A glob without a slash matches the name in any folder, a glob with a slash the path. `logs/` matches the folder with
 * all its content. `./` and a leading slash are the source itself.
 */
function normalized(glob: string): string {
  const inner = glob.replace(/^(\.?\/)+/, '');
  if (inner.endsWith('/')) return `${inner}**`;
  return glob.includes('/') ? inner : `**/${inner}`;
}
