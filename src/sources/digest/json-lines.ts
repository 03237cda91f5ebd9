import { DecodedText } from './decoded-text.ts';
import { continueNumber, isWholeNumber, NOT_A_NUMBER, NUMBER_ENDS, startNumber } from './json-number.ts';
import type { LineRules, ValueKind } from './line-rules.ts';

/** Receives the end of each line. */
export interface LineSink {
  /** The rules still have the values of the line. @param reason undefined for a valid line */
  line(reason: string | undefined): void;
}

const LINE_FEED = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Deeper lines are rejected. */
const MAX_DEPTH = 4 * 1024 * 1024;

/**
 * Positions in the grammar of JSON (RFC 8259), except those in a number. Separate constants, which the compiler of V8 can
 * inline.
 */
const AT_VALUE = 0;
const AT_FIRST_ITEM = 1;
const AT_FIRST_KEY = 2;
const AT_KEY = 3;
const AT_COLON = 4;
const AT_AFTER = 5;
const AT_DONE = 6;
const AT_STRING = 7;
const AT_ESCAPE = 8;
const AT_HEX = 9;
const AT_CONTINUATION = 10;
const AT_LITERAL = 11;
/** The line is invalid. */
const AT_SKIP = 12;

const ARRAY = 0;
const OBJECT = 1;

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
const LITERALS: Readonly<Record<number, readonly [string, ValueKind]>> = {
  0x74: ['true', 'boolean'],
  0x66: ['false', 'boolean'],
  0x6e: ['null', 'null'],
};

/**
 * Validates one JSON value per line, byte by byte: a line is valid if `JSON.parse` accepts it as UTF-8. Content is neither
 * decoded nor kept, so that the length of a line does not matter. The rules receive the values that they name.
 */
export class JsonLines {
  readonly #rules: LineRules;
  readonly #sink: LineSink;
  #at: number = AT_VALUE;
  #isBlank = true;
  #reason: string | undefined;
  #offsetBytes = 0;
  #lineStartBytes = 0;
  #depth = 0;
  #containers = new Uint8Array(1024);
  /** What the rules call each open container, and the value that follows; 0: nothing. */
  #slots = new Uint8Array(1024);
  #slot: number;
  #isKey = false;
  /** Whether the text of the string is needed, decoded. */
  #isRead = false;
  readonly #text = new DecodedText();
  #code = 0;
  #left = 0;
  #low = 0;
  #high = 0;
  #literal = '';
  #literalKind: ValueKind = 'null';

  constructor(rules: LineRules, sink: LineSink) {
    this.#rules = rules;
    this.#sink = sink;
    this.#slot = rules.top;
  }

  /** Continues at the start of a line. */
  startAt(offsetBytes: number): void {
    this.#offsetBytes = offsetBytes;
    this.#lineStartBytes = offsetBytes;
  }

  /** The end of the source. A last line without a line feed counts. */
  end(): void {
    if (this.#offsetBytes > this.#lineStartBytes) this.#endLine(this.#offsetBytes);
  }

  update(chunk: Uint8Array): void {
    const bytes = chunk;
    const end = chunk.byteLength;
    let i = 0;
    while (i < end) {
      const byte = bytes[i] as number;
      switch (this.#at) {
        case AT_STRING: {
          if (this.#isRead) {
            i = this.#readString(bytes, i, end);
            break;
          }
          let plain = i;
          while (
            plain + 4 <= end &&
            (PLAIN[bytes[plain] as number]! |
              PLAIN[bytes[plain + 1] as number]! |
              PLAIN[bytes[plain + 2] as number]! |
              PLAIN[bytes[plain + 3] as number]!) ===
              0
          ) {
            plain += 4;
          }
          while (plain < end && PLAIN[bytes[plain] as number] === 0) plain++;
          i = plain === end ? end : this.#special(bytes, plain, end);
          break;
        }
        case AT_SKIP: {
          const found = bytes.indexOf(LINE_FEED, i);
          i = found === -1 ? end : found + 1;
          if (found !== -1) this.#endLine(this.#offsetBytes + found);
          break;
        }
        default:
          if (byte === LINE_FEED) {
            this.#endLine(this.#offsetBytes + i);
            i++;
          } else i = this.#step(byte, bytes, i);
      }
    }
    this.#offsetBytes += end;
  }

  /** One byte outside a string. @returns the position of the next byte */
  #step(byte: number, bytes: Uint8Array, i: number): number {
    const isSpace = byte === 0x20 || byte === 0x09 || byte === 0x0d;
    switch (this.#at) {
      case AT_FIRST_ITEM:
      case AT_VALUE:
        if (isSpace) return i + 1;
        if (byte === 0x5d && this.#at === AT_FIRST_ITEM) return this.#close(ARRAY, i);
        return this.#startValue(byte, bytes, i);
      case AT_AFTER:
        if (isSpace) return i + 1;
        if (byte === 0x2c) {
          this.#next();
          return i + 1;
        }
        if (byte === 0x7d) return this.#close(OBJECT, i);
        return byte === 0x5d ? this.#close(ARRAY, i) : this.#fail(i, byte);
      case AT_FIRST_KEY:
      case AT_KEY:
        if (isSpace) return i + 1;
        if (byte === 0x7d && this.#at === AT_FIRST_KEY) return this.#close(OBJECT, i);
        return byte === QUOTE ? this.#startKey(i) : this.#fail(i, byte);
      case AT_COLON:
        if (isSpace) return i + 1;
        if (byte !== 0x3a) return this.#fail(i, byte);
        this.#at = AT_VALUE;
        return i + 1;
      case AT_DONE:
        return isSpace ? i + 1 : this.#fail(i, byte);
      case AT_ESCAPE:
        return this.#escape(byte, i);
      case AT_HEX:
        return this.#hex(byte, i);
      case AT_CONTINUATION:
        if (byte < this.#low || byte > this.#high) return this.#failUtf8(i);
        [this.#low, this.#high] = [0x80, 0xbf];
        if (this.#isRead) this.#text.add(byte);
        if (--this.#left === 0) this.#at = AT_STRING;
        return i + 1;
      case AT_LITERAL:
        if (byte !== this.#literal.charCodeAt(this.#left)) return this.#fail(i, byte);
        if (++this.#left === this.#literal.length) this.#endValue(this.#literalKind);
        return i + 1;
      default:
        return this.#number(byte, i);
    }
  }

  #startValue(byte: number, bytes: Uint8Array, i: number): number {
    const isFirst = this.#isBlank;
    this.#isBlank = false;
    if (byte === QUOTE) {
      this.#isKey = false;
      this.#startString(this.#rules.hashed[this.#slot] === true);
      return i + 1;
    }
    if (byte === 0x7b) return this.#open(OBJECT, i);
    if (byte === 0x5b) return this.#open(ARRAY, i);
    const inNumber = startNumber(byte);
    if (inNumber !== NOT_A_NUMBER) {
      this.#at = inNumber;
      return i + 1;
    }
    const literal = LITERALS[byte];
    if (!literal) {
      const isMark = isFirst && byte === 0xef && this.#offsetBytes + i === 0 && (bytes[i + 1] ?? 0xbb) === 0xbb;
      return isMark ? this.#reject('starts with a byte order mark (BOM)', i) : this.#fail(i, byte);
    }
    [this.#literal, this.#literalKind] = literal;
    this.#left = 1;
    this.#at = AT_LITERAL;
    return i + 1;
  }

  #startKey(i: number): number {
    this.#isKey = true;
    this.#startString(this.#slots[this.#depth - 1] !== 0);
    return i + 1;
  }

  #startString(isRead: boolean): void {
    this.#isRead = isRead;
    if (isRead) this.#text.start(this.#isKey);
    this.#at = AT_STRING;
  }

  /** The part of a string up to its end, an escape, or the end of the chunk, if its text is needed. */
  #readString(bytes: Uint8Array, from: number, end: number): number {
    let i = from;
    for (; i < end; i++) {
      const byte = bytes[i] as number;
      if (PLAIN[byte] !== 0) return this.#special(bytes, i, end);
      this.#text.add(byte);
    }
    return i;
  }

  /** A byte of a string that is not plain ASCII. */
  #special(bytes: Uint8Array, i: number, end: number): number {
    const byte = bytes[i] as number;
    if (byte === QUOTE) {
      this.#endString();
      return i + 1;
    }
    if (byte === BACKSLASH) {
      this.#at = AT_ESCAPE;
      return i + 1;
    }
    if (byte < 0x20) return this.#fail(i, byte);
    if (byte < 0xc2 || byte > 0xf4) return this.#failUtf8(i);
    // Table 3-7 of the Unicode Standard: the second byte excludes overlong forms, surrogates and codes above U+10FFFF.
    const low = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
    const high = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
    const more = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (!this.#isRead && i + more < end) {
      const second = bytes[i + 1] as number;
      const isSound =
        second >= low &&
        second <= high &&
        (more < 2 || ((bytes[i + 2] as number) & 0xc0) === 0x80) &&
        (more < 3 || ((bytes[i + 3] as number) & 0xc0) === 0x80);
      return isSound ? i + more + 1 : this.#failUtf8(i);
    }
    [this.#left, this.#low, this.#high] = [more, low, high];
    if (this.#isRead) this.#text.add(byte);
    this.#at = AT_CONTINUATION;
    return i + 1;
  }

  #endString(): void {
    if (this.#isRead) this.#text.end();
    if (!this.#isKey) {
      this.#endValue('string');
      return;
    }
    this.#slot = 0;
    if (this.#isRead) this.#slot = this.#text.slotIn(this.#rules.keys[this.#slots[this.#depth - 1] as number]);
    this.#at = AT_COLON;
  }

  #escape(byte: number, i: number): number {
    if (byte === 0x75) {
      [this.#left, this.#code] = [4, 0];
      this.#at = AT_HEX;
      return i + 1;
    }
    const meant = ESCAPES[byte] as number;
    if (meant === 0) return this.#fail(i, byte);
    if (this.#isRead) this.#text.add(meant);
    this.#at = AT_STRING;
    return i + 1;
  }

  #hex(byte: number, i: number): number {
    const digit = HEX[byte] as number;
    if (digit === 255) return this.#fail(i, byte);
    this.#code = this.#code * 16 + digit;
    if (--this.#left === 0) {
      if (this.#isRead) this.#text.addCode(this.#code);
      this.#at = AT_STRING;
    }
    return i + 1;
  }

  #number(byte: number, i: number): number {
    const next = continueNumber(this.#at, byte);
    if (next === NOT_A_NUMBER) return this.#fail(i, byte);
    if (next === NUMBER_ENDS) {
      this.#endValue('number');
      return i;
    }
    this.#at = next;
    return i + 1;
  }

  #open(container: number, i: number): number {
    if (this.#depth === MAX_DEPTH) return this.#reject('is nested too deeply', i);
    if (this.#depth === this.#containers.length) {
      this.#containers = doubled(this.#containers);
      this.#slots = doubled(this.#slots);
    }
    const slot = this.#slot;
    this.#containers[this.#depth] = container;
    this.#slots[this.#depth] = slot;
    this.#depth++;
    if (slot !== 0) this.#rules.value(slot, container === OBJECT ? 'object' : 'array', 0, 0);
    this.#at = container === OBJECT ? AT_FIRST_KEY : AT_FIRST_ITEM;
    if (container === ARRAY) this.#slot = this.#rules.items[slot] ?? 0;
    return i + 1;
  }

  #close(container: number, i: number): number {
    if (this.#containers[this.#depth - 1] !== container) return this.#fail(i, 0);
    this.#depth--;
    const slot = this.#slots[this.#depth] as number;
    if (slot !== 0) this.#rules.end(slot);
    this.#at = this.#depth === 0 ? AT_DONE : AT_AFTER;
    return i + 1;
  }

  /** After a comma. */
  #next(): void {
    if (this.#containers[this.#depth - 1] === OBJECT) {
      this.#at = AT_KEY;
      return;
    }
    const slot = this.#slots[this.#depth - 1] as number;
    this.#slot = this.#rules.items[slot] ?? 0;
    this.#at = AT_VALUE;
  }

  #endValue(kind: ValueKind): void {
    if (this.#slot !== 0) {
      if (kind === 'string' && this.#isRead) {
        this.#rules.value(this.#slot, kind, this.#text.hash1, this.#text.hash2);
      } else this.#rules.value(this.#slot, kind, 0, 0);
    }
    this.#at = this.#depth === 0 ? AT_DONE : AT_AFTER;
  }

  #fail(i: number, byte: number): number {
    const isOutside = byte >= 0x80 && (byte < 0xc2 || byte > 0xf4);
    return isOutside ? this.#failUtf8(i) : this.#reject(`is not valid JSON at byte ${this.#column(i)}`, i);
  }

  #failUtf8(i: number): number {
    return this.#reject(`is not valid UTF-8 at byte ${this.#column(i)}`, i);
  }

  /** @returns the position of the same byte, which can be a line feed */
  #reject(reason: string, i: number): number {
    this.#reason = reason;
    this.#at = AT_SKIP;
    return i;
  }

  #column(i: number): number {
    return this.#offsetBytes + i - this.#lineStartBytes + 1;
  }

  /** @param offsetBytes of the line feed, or the end of the source */
  #endLine(offsetBytes: number): void {
    if (this.#at !== AT_SKIP) {
      if (this.#depth === 0 && isWholeNumber(this.#at)) this.#endValue('number');
      if (this.#isBlank) this.#reason = 'is empty';
      else if (this.#at !== AT_DONE) {
        this.#reason = `is not valid JSON at byte ${offsetBytes - this.#lineStartBytes + 1}`;
      } else this.#reason = this.#rules.problem();
    }
    const reason = this.#reason;
    this.#reason = undefined;
    this.#at = AT_VALUE;
    this.#isBlank = true;
    this.#depth = 0;
    this.#slot = this.#rules.top;
    this.#lineStartBytes = offsetBytes + 1;
    this.#sink.line(reason);
    this.#rules.start();
  }
}

function doubled(array: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(2 * array.length);
  larger.set(array);
  return larger;
}
