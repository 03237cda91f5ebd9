import { ESCAPES, HEX } from './json-lines.ts';
import type { LineRules } from './line-rules.ts';
import { endHash1, endHash2, HASH1_START, HASH2_START, nextHash1, nextHash2 } from './text-hash.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const LINE_FEED = 0x0a;
/** Deeper lines are not accepted here, because the functions call each other for each level. */
const MAX_DEPTH = 64;
/** Instead of a position: the line is not accepted. */
export const NOT_ACCEPTED = -1;

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');
/** Bytes that end a run of plain bytes in a string: control characters, quote and backslash. */
const ENDS_RUN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === QUOTE || byte === BACKSLASH ? 1 : 0,
);
const IS_DIGIT = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x30 && byte <= 0x39 ? 1 : 0));

/**
 * Accepts lines in memory quickly, and reports their values to the rules. It never rejects a line: `JsonLines` decides
 * about the others, which are invalid or rare. All bytes must be valid UTF-8 and end with a line feed.
 */
export class WholeLines {
  readonly #rules: LineRules;
  #bytes: Uint8Array = new Uint8Array();
  /** The memory of `#bytes` in words, and the offset of `#bytes` in it. */
  #words: Int32Array = new Int32Array();
  #byteOffset = 0;
  #depth = 0;

  constructor(rules: LineRules) {
    this.#rules = rules;
  }

  setBytes(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#words = new Int32Array(bytes.buffer, 0, bytes.buffer.byteLength >>> 2);
    this.#byteOffset = bytes.byteOffset;
  }

  /** @returns the start of the next line; -1 if this line is not accepted */
  accept(from: number): number {
    this.#depth = 0;
    this.#rules.start();
    const bytes = this.#bytes;
    const end = this.#value(bytes, afterSpace(bytes, from), this.#rules.top);
    if (end === NOT_ACCEPTED) return NOT_ACCEPTED;
    const feed = afterSpace(bytes, end);
    return bytes[feed] === LINE_FEED ? feed + 1 : NOT_ACCEPTED;
  }

  #value(bytes: Uint8Array, at: number, slot: number): number {
    const rules = this.#rules;
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      if (slot === 0) return this.#string(bytes, at + 1);
      if (rules.hashed[slot]) return this.#hashed(bytes, at + 1, slot);
      rules.value(slot, 'string', 0, 0);
      return this.#string(bytes, at + 1);
    }
    if (byte === 0x7b) return this.#object(bytes, at + 1, slot);
    if (byte === 0x5b) return this.#array(bytes, at + 1, slot);
    if (byte === 0x2d || IS_DIGIT[byte] === 1) {
      if (slot !== 0) rules.value(slot, 'number', 0, 0);
      return number(bytes, at);
    }
    if (slot !== 0) rules.value(slot, byte === 0x6e ? 'null' : 'boolean', 0, 0);
    return literal(bytes, at);
  }

  #object(bytes: Uint8Array, from: number, slot: number): number {
    if (++this.#depth > MAX_DEPTH) return NOT_ACCEPTED;
    if (slot !== 0) this.#rules.value(slot, 'object', 0, 0);
    const keys = this.#rules.keys[slot];
    let at = afterSpace(bytes, from);
    if (bytes[at] === 0x7d) at++;
    else {
      for (;;) {
        if (bytes[at] !== QUOTE) return NOT_ACCEPTED;
        const start = at + 1;
        let end = start;
        while (ENDS_RUN[bytes[end] as number] === 0) end++;
        let inner = 0;
        if (bytes[end] === QUOTE) {
          if (keys !== undefined) inner = keys.find(bytes, start, end);
          end++;
        } else if (keys !== undefined) return NOT_ACCEPTED;
        else end = this.#string(bytes, end);
        if (end === NOT_ACCEPTED) return NOT_ACCEPTED;
        at = afterSpace(bytes, end);
        if (bytes[at] !== COLON) return NOT_ACCEPTED;
        at = this.#value(bytes, afterSpace(bytes, at + 1), inner);
        if (at === NOT_ACCEPTED) return NOT_ACCEPTED;
        at = afterSpace(bytes, at);
        const byte = bytes[at++];
        if (byte === 0x7d) break;
        if (byte !== COMMA) return NOT_ACCEPTED;
        at = afterSpace(bytes, at);
      }
    }
    this.#depth--;
    if (slot !== 0) this.#rules.end(slot);
    return at;
  }

  #array(bytes: Uint8Array, from: number, slot: number): number {
    if (++this.#depth > MAX_DEPTH) return NOT_ACCEPTED;
    if (slot !== 0) this.#rules.value(slot, 'array', 0, 0);
    const inner = this.#rules.items[slot] ?? 0;
    let at = afterSpace(bytes, from);
    if (bytes[at] === 0x5d) at++;
    else {
      for (;;) {
        at = this.#value(bytes, at, inner);
        if (at === NOT_ACCEPTED) return NOT_ACCEPTED;
        at = afterSpace(bytes, at);
        const byte = bytes[at++];
        if (byte === 0x5d) break;
        if (byte !== COMMA) return NOT_ACCEPTED;
        at = afterSpace(bytes, at);
      }
    }
    this.#depth--;
    if (slot !== 0) this.#rules.end(slot);
    return at;
  }

  /** The rest of a string. @returns the position after its quote */
  #string(bytes: Uint8Array, from: number): number {
    let at = from;
    for (;;) {
      at = this.#run(bytes, at);
      const byte = bytes[at];
      if (byte === QUOTE) return at + 1;
      if (byte !== BACKSLASH) return NOT_ACCEPTED;
      const escape = bytes[at + 1] as number;
      if (ESCAPES[escape] !== 0) at += 2;
      else if (escape === 0x75 && areHex(bytes, at + 2)) at += 6;
      else return NOT_ACCEPTED;
    }
  }

  /** The end of a run of plain bytes, four at a time. */
  #run(bytes: Uint8Array, from: number): number {
    const start = this.#byteOffset;
    let at = from;
    for (; ((start + at) & 3) !== 0; at++) if (ENDS_RUN[bytes[at] as number] === 1) return at;
    const words = this.#words;
    const first = (start + at) >>> 2;
    let index = first;
    for (; index < words.length; index++) {
      const word = words[index] as number;
      const quote = word ^ 0x22222222;
      const backslash = word ^ 0x5c5c5c5c;
      // The high bit of a byte is set if the byte is below 0x20, a quote or a backslash, or follows such a byte.
      const found =
        ((word - 0x20202020) & ~word) | ((quote - 0x01010101) & ~quote) | ((backslash - 0x01010101) & ~backslash);
      if ((found & 0x80808080) !== 0) break;
    }
    at += (index - first) << 2;
    while (ENDS_RUN[bytes[at] as number] === 0) at++;
    return at;
  }

  /** A string whose hash the rules need. */
  #hashed(bytes: Uint8Array, from: number, slot: number): number {
    let hash1: number = HASH1_START;
    let hash2: number = HASH2_START;
    let at = from;
    for (;;) {
      let byte = bytes[at++] as number;
      if (ENDS_RUN[byte] === 1) {
        if (byte === QUOTE) break;
        if (byte !== BACKSLASH) return NOT_ACCEPTED;
        byte = ESCAPES[bytes[at++] as number] as number;
        if (byte === 0) return NOT_ACCEPTED;
      }
      hash1 = nextHash1(hash1, byte);
      hash2 = nextHash2(hash2, byte);
    }
    this.#rules.value(slot, 'string', endHash1(hash1, hash2), endHash2(hash1, hash2));
    return at;
  }
}

function afterSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    const byte = bytes[at] as number;
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d)) return at;
    at++;
  }
}

function areHex(bytes: Uint8Array, at: number): boolean {
  for (let index = at; index < at + 4; index++) if (HEX[bytes[index] as number] === 255) return false;
  return true;
}

function number(bytes: Uint8Array, from: number): number {
  let at = bytes[from] === 0x2d ? from + 1 : from;
  if (bytes[at] === 0x30) at++;
  else at = afterDigits(bytes, at);
  if (at !== NOT_ACCEPTED && bytes[at] === 0x2e) at = afterDigits(bytes, at + 1);
  if (at === NOT_ACCEPTED || ((bytes[at] as number) | 0x20) !== 0x65) return at;
  const isSigned = bytes[at + 1] === 0x2b || bytes[at + 1] === 0x2d;
  return afterDigits(bytes, at + (isSigned ? 2 : 1));
}

/** At least one digit. */
function afterDigits(bytes: Uint8Array, from: number): number {
  let at = from;
  while (IS_DIGIT[bytes[at] as number] === 1) at++;
  return at === from ? NOT_ACCEPTED : at;
}

function literal(bytes: Uint8Array, from: number): number {
  const name = bytes[from] === 0x74 ? TRUE : bytes[from] === 0x66 ? FALSE : NULL;
  for (let index = 0; index < name.length; index++) if (bytes[from + index] !== name[index]) return NOT_ACCEPTED;
  return from + name.length;
}
