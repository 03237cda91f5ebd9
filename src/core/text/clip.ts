/** Longest message of an error: messages are copied into histories, logs and terminals, each several times. */
export const MAX_MESSAGE_LENGTH = 2000;

/** Half of a character: protobuf strings hold none, and Temporal's SDK ends a worker that tries to send one. */
const SURROGATE = /\p{Surrogate}/gu;

/** A text that is well-formed Unicode and has at most `most` UTF-16 code units. */
export function clip(text: string, most: number): string {
  const short = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  return short.replace(SURROGATE, '\ufffd');
}

/** An error's message: one line of bounded length, whatever others wrote into it. */
export function clipMessage(message: string): string {
  return clip(message, MAX_MESSAGE_LENGTH).replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}

/** A value of a request as a message can quote it. */
export function quoted(text: string): string {
  return JSON.stringify(clip(text, 64));
}

/** Bytes of a text in UTF-8, without Node or a browser. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}
