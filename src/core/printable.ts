/**
 * What others wrote (names, ids, messages) as a terminal may show it, on one line: control characters could move the
 * cursor or start an escape sequence, and marks of direction turn the rest of the line around.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '�');
}
