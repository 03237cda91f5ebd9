/** Maximum length of an error message. Messages are copied into histories, logs and terminals several times. */
export const MAX_MESSAGE_LENGTH = 2000;

/** Half of a character. A protobuf string cannot contain it, and Temporal's SDK stops a worker that sends it. */
const SURROGATE = /\p{Surrogate}/gu;

/** Returns well-formed Unicode of at most `most` UTF-16 code units. */
export function clip(text: string, most: number): string {
  const short = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  return short.replace(SURROGATE, '\ufffd');
}

/** Returns an error message as one line of limited length, even if it quotes a text of another system. */
export function clipMessage(message: string): string {
  return clip(message, MAX_MESSAGE_LENGTH).replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}

/** Returns a value of a request as a message can quote it. */
export function quoted(text: string): string {
  return JSON.stringify(clip(text, 64));
}

/** Returns the bytes of a text in UTF-8, without an API of Node.js or of a browser. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}

/** Returns the text with a period at its end, as a sentence. */
export function closed(text: string): string {
  return /[.!?…:]$/.test(text) ? text : `${text}.`;
}
