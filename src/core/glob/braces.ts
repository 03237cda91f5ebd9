import type { GlobElement } from './segment.ts';

/** A glob that cannot be used. The message is the rest of a sentence about it. */
export class GlobError extends Error {}

/** Maximum alternatives of one glob. */
export const MAX_ALTERNATIVES = 100;

interface Group {
  /** Position of the closing brace. */
  readonly end: number;
  /** Positions of the commas that separate its alternatives. */
  readonly commas: readonly number[];
}

type Groups = ReadonlyMap<number, Group>;

/**
 * Expands the braces of a glob. Braces without a comma are literal, as in a shell.
 *
 * @throws GlobError for more than `MAX_ALTERNATIVES`, and for a range such as `{1..3}`
 */
export function expandBraces(glob: readonly GlobElement[]): GlobElement[][] {
  assertNoRange(glob);
  return expand(glob, braceGroups(glob), 0, glob.length);
}

/** The groups of a glob by the positions of their opening braces. One pass, however deep they are. */
export function braceGroups(glob: readonly GlobElement[]): Groups {
  const groups = new Map<number, Group>();
  const open: { start: number; commas: number[] }[] = [];
  for (const [at, element] of glob.entries()) {
    if (element === '{') open.push({ start: at, commas: [] });
    else if (element === ',') open.at(-1)?.commas.push(at);
    else if (element === '}') {
      const group = open.pop();
      if (group && group.commas.length > 0) groups.set(group.start, { end: at, commas: group.commas });
    }
  }
  return groups;
}

function expand(glob: readonly GlobElement[], groups: Groups, from: number, to: number): GlobElement[][] {
  let expanded: GlobElement[][] = [[]];
  for (let at = from; at < to; at++) {
    const group = groups.get(at);
    if (!group) {
      for (const one of expanded) one.push(glob[at] as GlobElement);
      continue;
    }
    const edges = [at, ...group.commas, group.end];
    const alternatives: GlobElement[][] = [];
    for (let index = 1; index < edges.length; index++) {
      alternatives.push(...expand(glob, groups, (edges[index - 1] as number) + 1, edges[index] as number));
      if (expanded.length * alternatives.length > MAX_ALTERNATIVES) {
        throw new GlobError(`has braces that expand to more than ${MAX_ALTERNATIVES} globs. Use several globs`);
      }
    }
    expanded = expanded.flatMap((one) => alternatives.map((alternative) => [...one, ...alternative]));
    at = group.end;
  }
  return expanded;
}

/** A shell would expand it; as literal text it would silently match nothing. */
function assertNoRange(glob: readonly GlobElement[]): void {
  const text = glob.map((element) => (element.length === 1 ? element : '\0')).join('');
  const [range] = /\{[-\w]{1,20}\.\.[-\w]{1,20}(\.\.[-\w]{1,20})?\}/.exec(text) ?? [];
  if (range !== undefined) throw new GlobError(`has the range ${range}; list its values, for example {1,2,3}`);
}
