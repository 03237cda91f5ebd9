import { braceGroups, expandBraces, GlobError } from './braces.ts';
import {
  elementsOf,
  isClass,
  type GlobElement,
  matchSegment,
  namesDot,
  parseSegment,
  type Segment,
} from './segment.ts';
import { nameKey } from '../text/name-form.ts';

export interface GlobOptions {
  /** Whether wildcards match the dot at the start of a hidden file. @defaultValue true */
  readonly dot?: boolean;
}

/** Limits of the globs of one list, which come from callers. */
export const GlobLimits = {
  maxGlobs: 100,
  maxCharacters: 1000,
  /** All globs of a list, with their braces expanded. */
  maxExpandedCharacters: 20_000,
} as const;

/** `**` as a whole segment: any number of segments. */
const ANY_FOLDERS = Symbol('any folders');
type Pattern = readonly (Segment | typeof ANY_FOLDERS)[];

/**
 * Compiles globs into a function that decides whether a path matches one of them.
 *
 * The one grammar of Longhaul, as in shells and `.gitignore`: `*`, `?`, `[abc]` and `[!a-z]` within a segment, `**` as a
 * whole segment, `{a,b}`, and `\` before a literal character. All other characters are literal. Unicode forms (NFC, NFD)
 * of a name are equal. A match takes at most as many steps as the product of the lengths of glob and path.
 *
 * @throws GlobError for a glob that `globListProblem` reports
 */
export function compileGlobs(globs: readonly string[], { dot = true }: GlobOptions = {}): (path: string) => boolean {
  const patterns = globs.flatMap((glob) => expandBraces(elementsOf(nameKey(glob))).map(patternOf));
  if (patterns.length === 0) return () => false;
  return (path) => {
    const segments = nameKey(path)
      .split('/')
      .map((segment) => Array.from(segment));
    return patterns.some((pattern) => matches(pattern, segments, dot));
  };
}

/** The problem of a list of globs, as the rest of a sentence; undefined for a good list. */
export function globListProblem(globs: readonly string[]): string | undefined {
  const { maxGlobs, maxCharacters, maxExpandedCharacters } = GlobLimits;
  if (globs.length > maxGlobs) return `has ${globs.length} globs. Use at most ${maxGlobs}`;
  // Before a glob is parsed, so that a long one costs nothing.
  const long = globs.find((glob) => glob.length > maxCharacters);
  if (long !== undefined) return `has a glob of ${long.length} characters. Use at most ${maxCharacters}`;
  let expanded = 0;
  for (const glob of globs) {
    const result = expandedLength(glob);
    if (typeof result === 'string') return `has the glob ${JSON.stringify(glob)}, which ${result}`;
    expanded += result;
  }
  if (expanded <= maxExpandedCharacters) return undefined;
  return `has globs of ${expanded} characters with their braces expanded. Use at most ${maxExpandedCharacters}`;
}

/** @returns the problem of a glob that has one */
function expandedLength(glob: string): number | string {
  if (glob.includes('\0')) return 'contains a NUL byte, as no path does';
  const elements = elementsOf(glob);
  if (elements.at(-1) === '\\') return 'ends with a single backslash. Use two for the character itself';
  try {
    return expandBraces(elements).reduce((sum, one) => sum + one.length, 0);
  } catch (error) {
    if (error instanceof GlobError) return error.message;
    throw error;
  }
}

/** Whether a text has anything but literal characters in the grammar of globs. */
export function isGlob(text: string): boolean {
  const elements = elementsOf(text);
  return braceGroups(elements).size > 0 || elements.some(isWildcard);
}

/**
 * Splits a glob into the folder that all its matches are in, and the rest.
 *
 * @returns an empty `folder` for the current one
 */
export function splitGlob(glob: string): { readonly folder: string; readonly rest: string } {
  const elements = elementsOf(glob);
  const groups = braceGroups(elements);
  let slash = -1;
  for (const [at, element] of elements.entries()) {
    if (isWildcard(element) || groups.has(at)) break;
    if (element === '/') slash = at;
  }
  const folder = parseSegment(elements.slice(0, slash + 1)).join('');
  return { folder: folder.replace(/(?<=.)\/$/s, ''), rest: elements.slice(slash + 1).join('') };
}

function isWildcard(element: GlobElement): boolean {
  return element === '*' || element === '?' || isClass(element);
}

function patternOf(elements: readonly GlobElement[]): Pattern {
  const segments: GlobElement[][] = [[]];
  for (const element of elements) {
    if (element === '/') segments.push([]);
    else segments.at(-1)?.push(element);
  }
  const pattern = segments.map((one) => (one.join('') === '**' ? ANY_FOLDERS : parseSegment(one)));
  return pattern.filter((one, index) => one !== ANY_FOLDERS || pattern[index - 1] !== ANY_FOLDERS);
}

/** Follows which positions of the pattern are reached, segment by segment of the path. */
function matches(pattern: Pattern, path: readonly (readonly string[])[], dot: boolean): boolean {
  let reached = reach(pattern, [0]);
  for (const name of path) {
    const isHidden = !dot && name[0] === '.';
    const next: number[] = [];
    for (const position of reached) {
      const wanted = pattern[position];
      if (wanted === undefined) continue;
      if (wanted === ANY_FOLDERS) {
        if (isHidden) continue;
        next.push(position);
        // At the end, it matches the content of a folder, but not the folder.
        if (position === pattern.length - 1) next.push(position + 1);
      } else if ((!isHidden || namesDot(wanted)) && matchSegment(wanted, name)) next.push(position + 1);
    }
    if (next.length === 0) return false;
    reached = reach(pattern, next);
  }
  return reached.has(pattern.length);
}

/** Positions with those behind a `**` that accepts no segment. */
function reach(pattern: Pattern, positions: readonly number[]): Set<number> {
  const reached = new Set(positions);
  for (const position of positions) {
    if (pattern[position] === ANY_FOLDERS && position < pattern.length - 1) reached.add(position + 1);
  }
  return reached;
}
