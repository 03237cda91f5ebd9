import type { Keys } from './line-rules.ts';
import { ByteHash } from './text-hash.ts';

/** The longest key of a rule is shorter. */
const KEY_BYTES = 32;

/** The text of a string of JSON without its escapes: the start of a key, or the hash of a value. */
export class DecodedText {
  readonly #key = Buffer.alloc(KEY_BYTES);
  #keyBytes = 0;
  #isKey = false;
  readonly #hash = new ByteHash();
  #highSurrogate = 0;

  get hash1(): number {
    return this.#hash.hash1;
  }

  get hash2(): number {
    return this.#hash.hash2;
  }

  start(isKey: boolean): void {
    this.#isKey = isKey;
    this.#keyBytes = 0;
    this.#highSurrogate = 0;
    this.#hash.start();
  }

  /** A byte that is not a part of an escape. */
  add(byte: number): void {
    if (this.#highSurrogate !== 0) this.#flushSurrogate();
    this.#put(byte);
  }

  /** A code unit of an escape. Two escapes can be one character, which has the same hash as its bytes. */
  addCode(code: number): void {
    if (this.#highSurrogate !== 0 && code >= 0xdc00 && code <= 0xdfff) {
      const whole = 0x10000 + ((this.#highSurrogate - 0xd800) << 10) + (code - 0xdc00);
      this.#highSurrogate = 0;
      this.#putCode(whole);
      return;
    }
    this.#flushSurrogate();
    if (code >= 0xd800 && code <= 0xdbff) this.#highSurrogate = code;
    else this.#putCode(code);
  }

  end(): void {
    this.#flushSurrogate();
    if (!this.#isKey) this.#hash.end();
  }

  /** @returns the slot of the key; 0: none */
  slotIn(keys: Keys | undefined): number {
    return this.#keyBytes <= KEY_BYTES ? (keys?.find(this.#key, 0, this.#keyBytes) ?? 0) : 0;
  }

  #put(byte: number): void {
    if (!this.#isKey) {
      this.#hash.add(byte);
      return;
    }
    if (this.#keyBytes < KEY_BYTES) this.#key[this.#keyBytes] = byte;
    this.#keyBytes++;
  }

  #flushSurrogate(): void {
    const code = this.#highSurrogate;
    this.#highSurrogate = 0;
    if (code !== 0) this.#putCode(code);
  }

  #putCode(code: number): void {
    encode(code, (byte) => this.#put(byte));
  }
}

/** The bytes of a code point in UTF-8; of half of a surrogate pair, in the same form. */
function encode(code: number, add: (byte: number) => void): void {
  if (code < 0x80) {
    add(code);
    return;
  }
  if (code < 0x800) add(0xc0 | (code >> 6));
  else {
    if (code < 0x10000) add(0xe0 | (code >> 12));
    else {
      add(0xf0 | (code >> 18));
      add(0x80 | ((code >> 12) & 0x3f));
    }
    add(0x80 | ((code >> 6) & 0x3f));
  }
  add(0x80 | (code & 0x3f));
}
