import { DecodedText } from './decoded-text.ts';

const LINE_FEED = 0x0a;
export const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** How a string ends. */
export const IS_VALID = 0;
export const NOT_JSON = 1;
export const NOT_UTF8 = 2;

/** Positions in a string (RFC 8259). Separate constants, which the compiler of V8 can inline. */
const AT_TEXT = 0;
const AT_ESCAPE = 1;
const AT_HEX = 2;
const AT_CONTINUATION = 3;

/** Bytes of a string that need no attention: ASCII without control characters, quote and backslash. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x80 && byte !== QUOTE && byte !== BACKSLASH ? 0 : 1,
);
/** The value of each hexadecimal digit; 255: not a digit. */
export const HEX = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(digit) ? 255 : digit;
});
/** The byte of each escape other than `\u`; 0: not an escape. */
export const ESCAPES = new Uint8Array(256);
for (const [from, to] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'].map((pair) => Buffer.from(pair))) {
  ESCAPES[from as number] = to as number;
}

/** Validates a string of JSON after its first quote, byte by byte, and decodes its text if that is needed. */
export class JsonString {
  readonly text = new DecodedText();
  isKey = false;
  /** Whether the text is needed, decoded. */
  isRead = false;
  /** Of the string that ended last. */
  outcome: number = IS_VALID;
  #at: number = AT_TEXT;
  #code = 0;
  #left = 0;
  #low = 0;
  #high = 0;

  start(isKey: boolean, isRead: boolean): void {
    this.isKey = isKey;
    this.isRead = isRead;
    if (isRead) this.text.start(isKey);
  }

  /** @returns the end of the bytes, or if the string ends: `~` of the position after it, or of its first invalid byte */
  read(bytes: Uint8Array, from: number, end: number): number {
    let i = from;
    while (i < end) {
      if (this.#at !== AT_TEXT) i = this.#sequence(bytes[i] as number, i);
      else if (this.isRead) i = this.#decode(bytes, i, end);
      else {
        while (
          i + 4 <= end &&
          (PLAIN[bytes[i] as number]! |
            PLAIN[bytes[i + 1] as number]! |
            PLAIN[bytes[i + 2] as number]! |
            PLAIN[bytes[i + 3] as number]!) ===
            0
        ) {
          i += 4;
        }
        while (i < end && PLAIN[bytes[i] as number] === 0) i++;
        if (i === end) return end;
        if (bytes[i] === QUOTE) {
          this.outcome = IS_VALID;
          return ~(i + 1);
        }
        i = this.#special(bytes, i, end);
      }
      if (i < 0) return i;
    }
    return i;
  }

  /** The part up to its end, an escape, or the end of the bytes, if its text is needed. */
  #decode(bytes: Uint8Array, from: number, end: number): number {
    let i = from;
    for (; i < end; i++) {
      const byte = bytes[i] as number;
      if (PLAIN[byte] !== 0) return this.#special(bytes, i, end);
      this.text.add(byte);
    }
    return i;
  }

  /** A byte that is not plain ASCII. */
  #special(bytes: Uint8Array, i: number, end: number): number {
    const byte = bytes[i] as number;
    if (byte === QUOTE) {
      if (this.isRead) this.text.end();
      this.outcome = IS_VALID;
      return ~(i + 1);
    }
    if (byte === BACKSLASH) {
      this.#at = AT_ESCAPE;
      return i + 1;
    }
    if (byte < 0x20) return this.#reject(NOT_JSON, i);
    if (byte < 0xc2 || byte > 0xf4) return this.#reject(NOT_UTF8, i);
    // Table 3-7 of the Unicode Standard: the second byte excludes overlong forms, surrogates and codes above U+10FFFF.
    const low = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
    const high = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
    const more = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (!this.isRead && i + more < end) {
      const second = bytes[i + 1] as number;
      const isSound =
        second >= low &&
        second <= high &&
        (more < 2 || ((bytes[i + 2] as number) & 0xc0) === 0x80) &&
        (more < 3 || ((bytes[i + 3] as number) & 0xc0) === 0x80);
      return isSound ? i + more + 1 : this.#reject(NOT_UTF8, i);
    }
    [this.#left, this.#low, this.#high] = [more, low, high];
    if (this.isRead) this.text.add(byte);
    this.#at = AT_CONTINUATION;
    return i + 1;
  }

  /** A byte of an escape, or of a character of several bytes that another chunk continues. */
  #sequence(byte: number, i: number): number {
    if (this.#at === AT_ESCAPE) return this.#escape(byte, i);
    if (this.#at === AT_HEX) return this.#hex(byte, i);
    if (byte < this.#low || byte > this.#high) return this.#reject(byte === LINE_FEED ? NOT_JSON : NOT_UTF8, i);
    [this.#low, this.#high] = [0x80, 0xbf];
    if (this.isRead) this.text.add(byte);
    if (--this.#left === 0) this.#at = AT_TEXT;
    return i + 1;
  }

  #escape(byte: number, i: number): number {
    if (byte === 0x75) {
      [this.#left, this.#code] = [4, 0];
      this.#at = AT_HEX;
      return i + 1;
    }
    const meant = ESCAPES[byte] as number;
    if (meant === 0) return this.#reject(NOT_JSON, i);
    if (this.isRead) this.text.add(meant);
    this.#at = AT_TEXT;
    return i + 1;
  }

  #hex(byte: number, i: number): number {
    const digit = HEX[byte] as number;
    if (digit === 255) return this.#reject(NOT_JSON, i);
    this.#code = this.#code * 16 + digit;
    if (--this.#left === 0) {
      if (this.isRead) this.text.addCode(this.#code);
      this.#at = AT_TEXT;
    }
    return i + 1;
  }

  #reject(outcome: number, i: number): number {
    this.outcome = outcome;
    this.#at = AT_TEXT;
    return ~i;
  }
}
