/**
 * One character of a glob, an escape such as `\*`, or a whole class such as `[!a-z]`, as it is written. A slash is always
 * an element of its own.
 */
export type GlobElement = string;

/** Reads a glob as elements. A bracket that no class begins with is a literal character. */
export function elementsOf(glob: string): GlobElement[] {
  const characters = Array.from(glob);
  const elements: GlobElement[] = [];
  // No class is closed after this position in the same segment: each bracket is looked at once.
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
