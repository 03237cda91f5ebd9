/** Whether a class accepts a character. */
type Matcher = (character: string) => boolean;
/** `*`: any number of characters. */
const STAR = Symbol('star');
/** A character is literal. */
type Token = string | Matcher | typeof STAR;

/** The text between two slashes of a glob. */
export type Segment = readonly Token[];

const anyCharacter: Matcher = () => true;

/** `[[:alpha:]]` and the others of POSIX, for ASCII. */
const namedClasses: Readonly<Record<string, RegExp>> = {
  alnum: /^[A-Za-z0-9]$/,
  alpha: /^[A-Za-z]$/,
  blank: /^[ \t]$/,
  digit: /^[0-9]$/,
  lower: /^[a-z]$/,
  punct: /^[!-/:-@[-`{-~]$/,
  space: /^\s$/,
  upper: /^[A-Z]$/,
  xdigit: /^[0-9A-Fa-f]$/,
};

export function parseSegment(elements: readonly GlobElement[]): Segment {
  const tokens = elements.map(tokenOf);
  // Stars in a row stand for one.
  return tokens.filter((token, index) => token !== STAR || tokens[index - 1] !== STAR);
}

/**
 * Decides whether a segment of a path is one that a segment of a glob accepts. Only the last star is tried again, as the
 * stars before it can gain nothing by accepting more: at most as many steps as the product of both lengths.
 *
 * @param name as code points
 */
export function matchSegment(segment: Segment, name: readonly string[]): boolean {
  let token = 0;
  let at = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    const wanted = segment[token];
    if (wanted === STAR) {
      star = token++;
      starAt = at;
    } else if (wanted !== undefined && accepts(wanted, name[at] as string)) {
      token++;
      at++;
    } else if (star === -1) return false;
    else {
      token = star + 1;
      at = ++starAt;
    }
  }
  while (segment[token] === STAR) token++;
  return token === segment.length;
}

/** Whether a segment contains the dot at the start of a hidden file. */
export function namesDot(segment: Segment): boolean {
  return segment[0] === '.';
}

function tokenOf(element: GlobElement): Token {
  if (element === '*') return STAR;
  if (element === '?') return anyCharacter;
  if (isClass(element)) return parseClass(element);
  return element.length > 1 && element.startsWith('\\') ? element.slice(1) : element;
}

function accepts(token: string | Matcher, character: string): boolean {
  return typeof token === 'string' ? token === character : token(character);
}

function parseClass(element: GlobElement): Matcher {
  const content = Array.from(element.slice(1, -1));
  const isNegated = content[0] === '!' || content[0] === '^';
  const members: Matcher[] = [];
  for (let at = isNegated ? 1 : 0; at < content.length; at++) {
    const named = namedClassAt(content, at);
    if (named) {
      members.push((character) => named.pattern.test(character));
      at = named.end;
      continue;
    }
    if (content[at] === '\\' && at + 1 < content.length) at++;
    const least = codePoint(content[at]);
    let most = least;
    // A dash at the end is a dash.
    if (content[at + 1] === '-' && at + 2 < content.length) {
      at += content[at + 2] === '\\' && at + 3 < content.length ? 3 : 2;
      most = codePoint(content[at]);
    }
    members.push((character) => codePoint(character) >= least && codePoint(character) <= most);
  }
  return (character) => members.some((isIn) => isIn(character)) !== isNegated;
}

function namedClassAt(content: readonly string[], at: number): { pattern: RegExp; end: number } | undefined {
  if (content[at] !== '[' || content[at + 1] !== ':') return undefined;
  const [, name = ''] = /^\[:([a-z]{5,6}):\]/.exec(content.slice(at, at + 10).join('')) ?? [];
  const pattern = Object.hasOwn(namedClasses, name) ? namedClasses[name] : undefined;
  return pattern && { pattern, end: at + name.length + 3 };
}

function codePoint(character: string | undefined): number {
  return character?.codePointAt(0) ?? -1;
}

/**
 * One character of a glob, an escape such as `\*`, or a whole class such as `[!a-z]`, as it is written. A slash is always
 * a separate element.
 */
export type GlobElement = string;

/** Reads a glob as elements. A bracket that does not start a class is literal. */
export function elementsOf(glob: string): GlobElement[] {
  const characters = Array.from(glob);
  const elements: GlobElement[] = [];
  // No class is closed after this position in the same segment, so that each bracket is checked only one time.
  let unclosedTo = -1;
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] as string;
    if (character === '\\' && at + 1 < characters.length) {
      at++;
      // An escaped slash separates all the same: no name has one.
      elements.push(characters[at] === '/' ? '/' : `\\${characters[at]}`);
    } else if (character === '[' && at > unclosedTo) {
      const end = classEnd(characters, at);
      if (characters[end] === ']') {
        elements.push(characters.slice(at, end + 1).join(''));
        at = end;
      } else {
        elements.push('[');
        unclosedTo = end;
      }
    } else elements.push(character);
  }
  return elements;
}

export function isClass(element: GlobElement): boolean {
  return element.startsWith('[') && element.length > 1;
}

/** The position of the bracket that closes a class, or of the end of the segment. */
function classEnd(characters: readonly string[], start: number): number {
  let at = start + 1;
  if (characters[at] === '!' || characters[at] === '^') at++;
  // As the first character a closing bracket is one of the class.
  if (characters[at] === ']') at++;
  for (; at < characters.length && characters[at] !== '/' && characters[at] !== ']'; at++) {
    if (characters[at] === '\\' && characters[at + 1] !== '/') at++;
    else if (characters[at] === '[' && characters[at + 1] === ':') at = namedClassEnd(characters, at) ?? at;
  }
  return at;
}

/** The longest name of a class of POSIX has six letters. */
function namedClassEnd(characters: readonly string[], start: number): number | undefined {
  const [name] = /^\[:[a-z]{5,6}:\]/.exec(characters.slice(start, start + 10).join('')) ?? [];
  return name === undefined ? undefined : start + name.length - 1;
}
