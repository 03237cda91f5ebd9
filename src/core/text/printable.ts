/**
 * Characters that a terminal or a viewer does not show as they are: control characters, including C1, which start escape
 * sequences; marks of direction, which reverse the text after them; invisible characters; line separators; and halves of
 * characters. The two joiners stay after characters that are not ASCII, because emoji and several scripts require them.
 */
const UNSAFE =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|(?![\u200c\u200d])\p{Cf}|(?<![^\0-\x7f])[\u200c\u200d]|[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]/gu;

/** Returns text from outside (names, IDs, messages) so that a terminal shows it safely, on one line. */
export function printable(text: string): string {
  return text.replace(UNSAFE, '�');
}

/** Returns `value` as JSON of one line that a terminal shows safely. Its data is exact: unsafe characters are escaped. */
export function printableJson(value: unknown): string {
  return escapeJson(JSON.stringify(value) ?? 'null');
}

/** Escapes the unsafe characters of a JSON text of one line. */
export function escapeJson(json: string): string {
  return json.replace(UNSAFE, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
