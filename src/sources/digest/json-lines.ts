import { ARRAY, OBJECT, OpenContainers } from './json-containers.ts';
import { continueNumber, isWholeNumber, NOT_A_NUMBER, NUMBER_ENDS, startNumber } from './json-number.ts';
import { IS_VALID, JsonString, NOT_UTF8, QUOTE } from './json-string.ts';
import type { LineRules, ValueKind } from './line-rules.ts';

/** Receives the end of each line. */
export interface LineSink {
  /** The rules still have the values of the line. @param reason undefined for a valid line */
  line(reason: string | undefined): void;
}

const LINE_FEED = 0x0a;

/**
 * Positions in the grammar of JSON (RFC 8259), except those in a number or a string. Separate constants, which the compiler
 * of V8 can inline.
 */
const AT_VALUE = 0;
const AT_FIRST_ITEM = 1;
const AT_FIRST_KEY = 2;
const AT_KEY = 3;
const AT_COLON = 4;
const AT_AFTER = 5;
const AT_DONE = 6;
const AT_STRING = 7;
const AT_LITERAL = 8;
/** The line is invalid. */
const AT_SKIP = 9;

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
  readonly #open = new OpenContainers();
  /** What the rules call the value that follows; 0: nothing. */
  #slot: number;
  readonly #string = new JsonString();
  #literal = '';
  #literalAt = 0;
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
        case AT_STRING:
          i = this.#string.read(bytes, i, end);
          if (i < 0) i = this.#afterString(bytes, ~i);
          break;
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
        if (byte !== QUOTE) return this.#fail(i, byte);
        return this.#startString(true, this.#open.slot !== 0, i);
      case AT_COLON:
        if (isSpace) return i + 1;
        if (byte !== 0x3a) return this.#fail(i, byte);
        this.#at = AT_VALUE;
        return i + 1;
      case AT_DONE:
        return isSpace ? i + 1 : this.#fail(i, byte);
      case AT_LITERAL:
        if (byte !== this.#literal.charCodeAt(this.#literalAt)) return this.#fail(i, byte);
        if (++this.#literalAt === this.#literal.length) this.#endValue(this.#literalKind);
        return i + 1;
      default:
        return this.#number(byte, i);
    }
  }

  #startValue(byte: number, bytes: Uint8Array, i: number): number {
    const isFirst = this.#isBlank;
    this.#isBlank = false;
    if (byte === QUOTE) return this.#startString(false, this.#rules.hashed[this.#slot] === true, i);
    if (byte === 0x7b) return this.#start(OBJECT, i);
    if (byte === 0x5b) return this.#start(ARRAY, i);
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
    this.#literalAt = 1;
    this.#at = AT_LITERAL;
    return i + 1;
  }

  #startString(isKey: boolean, isRead: boolean, i: number): number {
    this.#string.start(isKey, isRead);
    this.#at = AT_STRING;
    return i + 1;
  }

  #afterString(bytes: Uint8Array, i: number): number {
    const string = this.#string;
    if (string.outcome !== IS_VALID) {
      return string.outcome === NOT_UTF8 ? this.#failUtf8(i) : this.#fail(i, bytes[i] as number);
    }
    if (!string.isKey) {
      this.#endValue('string');
      return i;
    }
    this.#slot = string.isRead ? string.text.slotIn(this.#rules.keys[this.#open.slot]) : 0;
    this.#at = AT_COLON;
    return i;
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

  #start(container: number, i: number): number {
    const slot = this.#slot;
    if (!this.#open.open(container, slot)) return this.#reject('is nested too deeply', i);
    if (slot !== 0) this.#rules.value(slot, container === OBJECT ? 'object' : 'array', 0, 0);
    this.#at = container === OBJECT ? AT_FIRST_KEY : AT_FIRST_ITEM;
    if (container === ARRAY) this.#slot = this.#rules.items[slot] ?? 0;
    return i + 1;
  }

  #close(container: number, i: number): number {
    if (this.#open.kind !== container) return this.#fail(i, 0);
    const { slot } = this.#open;
    this.#open.depth--;
    if (slot !== 0) this.#rules.end(slot);
    this.#at = this.#open.depth === 0 ? AT_DONE : AT_AFTER;
    return i + 1;
  }

  /** After a comma. */
  #next(): void {
    if (this.#open.kind === OBJECT) {
      this.#at = AT_KEY;
      return;
    }
    this.#slot = this.#rules.items[this.#open.slot] ?? 0;
    this.#at = AT_VALUE;
  }

  #endValue(kind: ValueKind): void {
    if (this.#slot !== 0) {
      if (kind === 'string' && this.#string.isRead) {
        const { text } = this.#string;
        this.#rules.value(this.#slot, kind, text.hash1, text.hash2);
      } else this.#rules.value(this.#slot, kind, 0, 0);
    }
    this.#at = this.#open.depth === 0 ? AT_DONE : AT_AFTER;
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
      if (this.#open.depth === 0 && isWholeNumber(this.#at)) this.#endValue('number');
      if (this.#isBlank) this.#reason = 'is empty';
      else if (this.#at !== AT_DONE) {
        this.#reason = `is not valid JSON at byte ${offsetBytes - this.#lineStartBytes + 1}`;
      } else this.#reason = this.#rules.problem();
    }
    const reason = this.#reason;
    this.#reason = undefined;
    this.#at = AT_VALUE;
    this.#isBlank = true;
    this.#open.depth = 0;
    this.#slot = this.#rules.top;
    this.#lineStartBytes = offsetBytes + 1;
    this.#sink.line(reason);
    this.#rules.start();
  }
}
