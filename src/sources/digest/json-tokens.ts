import { ESCAPES, HEX } from './json-string.ts';
import { ByteHash, endHash1, endHash2, HASH1_START, HASH2_START, nextHash1, nextHash2 } from './text-hash.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Instead of a position: the line is not accepted. */
export const NOT_ACCEPTED = -1;

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');
/** Bytes that end a run of plain bytes in a string: control characters, quote and backslash. */
export const ENDS_RUN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === QUOTE || byte === BACKSLASH ? 1 : 0,
);
const IS_DIGIT = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x30 && byte <= 0x39 ? 1 : 0));
export const STARTS_NUMBER = IS_DIGIT.with(0x2d, 1);

/** Finds the ends of the strings of JSON in bytes that are valid UTF-8 and end with a line feed. */
export class StringEnds {
  bytes: Uint8Array = new Uint8Array();
  /** The same bytes, for reads of several bytes at any offset. */
  view: DataView = new DataView(new ArrayBuffer(0));
  /** The hash of the last string of which it was needed. */
  hash1 = 0;
  hash2 = 0;
  readonly #byteHash = new ByteHash();

  setBytes(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The rest of a string. @returns the position after its quote */
  after(from: number): number {
    const bytes = this.bytes;
    let at = from;
    for (;;) {
      at = this.#afterRun(bytes, at);
      const byte = bytes[at];
      if (byte === QUOTE) return at + 1;
      if (byte !== BACKSLASH) return NOT_ACCEPTED;
      const escape = bytes[at + 1] as number;
      if (ESCAPES[escape] !== 0) at += 2;
      else if (escape === 0x75 && areHex(bytes, at + 2)) at += 6;
      else return NOT_ACCEPTED;
    }
  }

  /** As `after`, with the hash of the string. Strings with `\u` are not accepted. */
  afterHashed(from: number): number {
    const { bytes, view } = this;
    const last = bytes.length - 4;
    let hash1: number = HASH1_START;
    let hash2: number = HASH2_START;
    for (let at = from; at <= last; at += 4) {
      let word = view.getInt32(at, true);
      const ends = endsOfRun(word);
      if (ends !== 0) {
        const count = firstOf(ends);
        if (bytes[at + count] !== QUOTE) break;
        if (count > 0) {
          word &= 0xffffff >>> (24 - 8 * count);
          hash1 = nextHash1(hash1, word);
          hash2 = nextHash2(hash2, word);
        }
        this.hash1 = endHash1(hash1, at + count - from);
        this.hash2 = endHash2(hash2, this.hash1);
        return at + count + 1;
      }
      hash1 = nextHash1(hash1, word);
      hash2 = nextHash2(hash2, word);
    }
    return this.#afterHashedBytes(bytes, from);
  }

  /** As `afterHashed`, for a string with escapes or at the end of the bytes. */
  #afterHashedBytes(bytes: Uint8Array, from: number): number {
    const hash = this.#byteHash;
    hash.start();
    for (let at = from; ;) {
      let byte = bytes[at++] as number;
      if (ENDS_RUN[byte] === 1) {
        if (byte === QUOTE) {
          hash.end();
          this.hash1 = hash.hash1;
          this.hash2 = hash.hash2;
          return at;
        }
        if (byte !== BACKSLASH) return NOT_ACCEPTED;
        byte = ESCAPES[bytes[at++] as number] as number;
        if (byte === 0) return NOT_ACCEPTED;
      }
      hash.add(byte);
    }
  }

  /** The end of a run of plain bytes, four at a time. */
  #afterRun(bytes: Uint8Array, from: number): number {
    const view = this.view;
    const last = bytes.length - 4;
    let at = from;
    for (; at <= last; at += 4) {
      const ends = endsOfRun(view.getInt32(at, true));
      if (ends !== 0) return at + firstOf(ends);
    }
    while (ENDS_RUN[bytes[at] as number] === 0) at++;
    return at;
  }
}

/** The high bit of a byte is set if the byte of the word ends a run, or follows such a byte. */
function endsOfRun(word: number): number {
  const quote = word ^ 0x22222222;
  const backslash = word ^ 0x5c5c5c5c;
  const found =
    ((word - 0x20202020) & ~word) | ((quote - 0x01010101) & ~quote) | ((backslash - 0x01010101) & ~backslash);
  return found & 0x80808080;
}

/** The index of the first byte with its high bit set: that of the lowest bit. */
function firstOf(bits: number): number {
  return (31 - Math.clz32(bits & -bits)) >>> 3;
}

export function afterSpace(bytes: Uint8Array, from: number): number {
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

export function afterNumber(bytes: Uint8Array, from: number): number {
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

export function afterLiteral(bytes: Uint8Array, from: number): number {
  const name = bytes[from] === 0x74 ? TRUE : bytes[from] === 0x66 ? FALSE : NULL;
  for (let index = 0; index < name.length; index++) if (bytes[from + index] !== name[index]) return NOT_ACCEPTED;
  return from + name.length;
}
