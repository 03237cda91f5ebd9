import fc from 'fast-check';
import picomatch from 'picomatch';
import { describe, expect, it } from 'vitest';
import { compileGlobs, globListProblem, GlobLimits, isGlob, splitGlob } from '../../../../src/core/glob/glob.ts';
import { cpuTimeMs } from '../../../support/cpu-time.ts';
import { generatedRuns } from '../../../support/mutated.ts';

function matches(glob: string, path: string, dot = true): boolean {
  return compileGlobs([glob], { dot })(path);
}

describe('compileGlobs', () => {
  it.each<[glob: string, taken: readonly string[], others: readonly string[]]>([
    ['*.jsonl', ['a.jsonl', '.jsonl'], ['a.json', 'b/a.jsonl', 'a.jsonl/b']],
    ['a?c', ['abc', 'a😀c'], ['ac', 'abbc', 'a/c']],
    ['**/x', ['x', 'a/x', 'a/.b/x'], ['ax', 'x/a']],
    ['a/**', ['a/b', 'a/b/.c'], ['a', 'ab/c', 'b/a/c']],
    ['a/**/z', ['a/z', 'a/b/z', 'a/b/c/z'], ['az', 'a/bz']],
    ['**', ['a', 'a/b'], []],
    ['**/**/x/**/**', ['x/a', 'a/x/b/c'], ['x', 'a/x']],
    // Only as a whole segment.
    ['a**z', ['az', 'abz'], ['a/z']],
    ['[abc].x', ['a.x', 'c.x'], ['d.x', '[abc].x']],
    ['[a-cx-z]', ['b', 'y'], ['d', '-']],
    ['[!a-c]', ['d', '-'], ['a', 'dd']],
    ['[^a-c]', ['d'], ['a']],
    ['[]a]', [']', 'a'], ['b']],
    ['[!]a]', ['b'], [']', 'a']],
    ['[a-]', ['a', '-'], ['b']],
    ['[\\]\\-a]', [']', '-', 'a'], ['\\', 'b']],
    ['[a\\-c]', ['a', '-', 'c'], ['b']],
    ['[[:digit:]x]', ['7', 'x'], ['y', ':', '[']],
    ['[[:nonsense:]]', [], ['n']],
    ['a[b', ['a[b'], ['ab']],
    ['a[/]b', ['a[/]b'], ['a/b']],
    ['{a,b}.x', ['a.x', 'b.x'], ['c.x', '{a,b}.x']],
    ['{a,b/{c,d}}/x', ['a/x', 'b/c/x', 'b/d/x'], ['b/x']],
    ['a{,b}', ['a', 'ab'], ['a{,b}']],
    ['{a}', ['{a}'], ['a']],
    ['{}', ['{}'], ['']],
    ['{a{b,c}', ['{ab', '{ac'], ['ab']],
    ['a{b,c', ['a{b,c'], ['ab']],
    ['a\\{b,c}', ['a{b,c}'], ['ab']],
    ['{a\\,b,c}', ['a,b', 'c'], ['a', 'b']],
    ['[{,}]', ['{', ',', '}'], ['[']],
    ['{**/x,y}', ['x', 'a/x', 'y'], ['a/y']],
    ['report (1).jsonl', ['report (1).jsonl'], ['report 1.jsonl']],
    ['a|b', ['a|b'], ['a', 'b']],
    ['!(a)', ['!(a)'], ['b']],
    ['@(a|b)', ['@(a|b)'], ['a']],
    ['+(a)', ['+(a)'], ['aa']],
    ['!a', ['!a'], ['b']],
    ['a+.^$', ['a+.^$'], ['aa']],
    ['\\*\\?\\[', ['*?['], ['abc']],
    ['\\a', ['a'], ['\\a']],
    ['a\\\\b', ['a\\b'], ['ab']],
    ['a\\/b', ['a/b'], []],
  ])('reads %s', (glob, taken, others) => {
    for (const path of taken) expect(matches(glob, path), path).toBe(true);
    for (const path of others) expect(matches(glob, path), path).toBe(false);
  });

  it('excludes hidden files from wildcards on request, as a shell does', () => {
    for (const glob of ['*', '**', '?x', '[.]x', '**/.x', '*/x'])
      expect(matches(glob, '.x', false)).toBe(glob === '**/.x');
    expect(matches('.*', '.x', false)).toBe(true);
    expect(matches('**/x', '.a/x', false)).toBe(false);
    expect(matches('a/**/x', 'a/.b/x', false)).toBe(false);
  });

  it('agrees with picomatch on ordinary globs', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '.', '-'), minLength: 1, maxLength: 4 });
    const isName = (one: string) => one !== '.' && one !== '..';
    const path = fc.array(name.filter(isName), { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
    const piece = fc.constantFrom('a', 'b', '.', '-', '*', '?', '[ab]', '[a-b]', '{a,b}', '{a,b-}', '\\*');
    const segment = fc.oneof(
      { weight: 1, arbitrary: fc.constant('**') },
      { weight: 3, arbitrary: fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join('')) },
    );
    const glob = fc
      .array(segment, { minLength: 1, maxLength: 4 })
      .map((segments) => segments.join('/'))
      // Where picomatch differs from shells, as its fast paths do (`*.*` and `a.`): `**` in a name, dots as folders, `a/**`, which accepts `a` there, and `[!a]*`.
      .filter(
        (one) =>
          !/\*{2}[^/]|[^/]\*{2}|(^|\/)\.{1,2}(\/|$)/.test(one) &&
          !one.endsWith('/**') &&
          globListProblem([one]) === undefined,
      );
    fc.assert(
      fc.property(glob, path, fc.boolean(), (one, where, dot) => {
        const theirs = picomatch(one, { dot, nonegate: true, noextglob: true, fastpaths: false });
        expect(matches(one, where, dot)).toBe(theirs(where));
      }),
      { numRuns: generatedRuns(2000) },
    );
  });

  it('agrees with an exhaustive matcher', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?'), maxLength: 9 });
    const path = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 7 });
    fc.assert(
      fc.property(text, path, (glob, where) => {
        expect(matches(glob, where)).toBe(triesAll(glob.split('/'), where.split('/')));
      }),
      { numRuns: generatedRuns(2000) },
    );
  });

  it.each([
    ['stars and question marks', `${'*?'.repeat(12)}Z`],
    ['stars and letters', `${'*a'.repeat(400)}Z`],
    ['folders', `${'**/*a*/'.repeat(140)}Z`],
    ['braces', `{${'*a*Z,'.repeat(90)}*Z}`],
    ['classes', `${'*[a-z]'.repeat(160)}Z`],
    ['open brackets', '['.repeat(1000)],
    ['open brackets and braces', '{[,'.repeat(333)],
    ['nested braces', '{a,'.repeat(33) + '}'.repeat(33)],
    ['unclosed classes', '[[:a'.repeat(250)],
  ])('matches a glob of many %s in polynomial time', (_, glob) => {
    const paths = [40, 4000].flatMap((length) => [
      'a'.repeat(length),
      'a/'.repeat(length / 2),
      'ab'.repeat(length / 2),
    ]);
    const match = () => {
      expect(globListProblem([glob])).toBeUndefined();
      const takes = compileGlobs([glob]);
      for (const path of paths) expect(takes(path)).toBe(false);
    };
    // The steps are some ten millions; a matcher that tries everything would outlive the sun.
    expect(cpuTimeMs(match)).toBeLessThan(5000);
  });
});

describe('globListProblem', () => {
  it.each<[globs: readonly string[], problem: RegExp]>([
    [['a'.repeat(GlobLimits.maxCharacters + 1)], /a glob of 1001 characters\. Use at most 1000/],
    [Array.from({ length: GlobLimits.maxGlobs + 1 }, () => 'a'), /101 globs\. Use at most 100/],
    [['{a,b}'.repeat(7)], /braces that expand to more than 100 globs/],
    [['{a,'.repeat(110) + '}'.repeat(110)], /braces that expand to more than 100 globs/],
    [Array.from({ length: 30 }, () => `${'x'.repeat(900)}{a,b}`), /27\d{3}|5\d{4}.*Use at most 20000/],
    [['part-{1..3}.jsonl'], /the range \{1\.\.3\}; list its values/],
    [['a\0b'], /contains a NUL byte/],
    [['a\\'], /ends with a single backslash/],
  ])('rejects a list %#', (globs, problem) => {
    expect(globListProblem(globs)).toMatch(problem);
  });

  it('accepts usual lists', () => {
    expect(globListProblem(['*.jsonl', 'raw/**', 'drafts/', '{a,b}', 'x[0-9]', 'a\\\\', '\\{1..3}'])).toBeUndefined();
    expect(globListProblem([])).toBeUndefined();
  });
});

describe('splitGlob', () => {
  it.each([
    ['data/raw/*.jsonl', 'data/raw', '*.jsonl'],
    ['./data/**/x', './data', '**/x'],
    ['*.x', '', '*.x'],
    ['/data/{a,b}/x', '/data', '{a,b}/x'],
    ['/*.x', '/', '*.x'],
    ['a\\*b/[x]', 'a*b', '[x]'],
    ['{a/b,c}/x', '', '{a/b,c}/x'],
  ])('splits %s', (glob, folder, rest) => {
    expect(isGlob(glob)).toBe(true);
    expect(splitGlob(glob)).toEqual({ folder, rest });
  });

  it.each(['plain.jsonl', 'a (1).x', 'a{b}', 'a[b', 'a\\*b', '!x'])('treats %s as a name', (name) => {
    expect(isGlob(name)).toBe(false);
  });
});

/** As plain as can be, and exponential. */
function triesAll(glob: readonly string[], path: readonly string[]): boolean {
  const [first, ...rest] = glob;
  if (first === undefined) return path.length === 0;
  if (first === '**') {
    const isLast = rest.every((one) => one === '**');
    if (path.length === 0) return false;
    return isLast || triesAll(rest, path) || triesAll(glob, path.slice(1));
  }
  return path.length > 0 && triesName(first, path[0] as string) && triesAll(rest, path.slice(1));
}

function triesName(glob: string, name: string): boolean {
  if (glob === '') return name === '';
  if (glob[0] === '*') return triesName(glob.slice(1), name) || (name !== '' && triesName(glob, name.slice(1)));
  return name !== '' && (glob[0] === '?' || glob[0] === name[0]) && triesName(glob.slice(1), name.slice(1));
}
