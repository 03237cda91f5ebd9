import { nameKey } from '../text/name-form.ts';

/**
 * Finds positions by texts, with 16 to 32 bytes for each text. All Unicode forms of a
 * text are equal. It keeps only a hash of 64 bits with a random seed: that
 * two of a million texts have the same hash has a probability of 1 in 40 million.
 */
export class TextIndex {
  /** Positions, counted from 1; 0 is free. */
  #slots = new Int32Array(64);
  #hashes = new Int32Array(128);
  #size = 0;
  readonly #hash = new TextHash();

  /** Undefined for a text that has none. */
  get(text: string): number | undefined {
    const position = this.#slots[this.#find(this.#hash.ofName(text))] as number;
    return position === 0 ? undefined : position - 1;
  }

  /** @returns the position that is replaced; undefined for a new text */
  set(text: string, position: number): number | undefined {
    const slot = this.#find(this.#hash.ofName(text));
    const earlier = this.#slots[slot] as number;
    this.#slots[slot] = position + 1;
    if (earlier !== 0) return earlier - 1;
    this.#hashes[2 * slot] = this.#hash.low;
    this.#hashes[2 * slot + 1] = this.#hash.high;
    this.#size++;
    if (this.#size * 4 > this.#slots.length * 3) this.#grow();
    return undefined;
  }

  #find({ low, high }: TextHash): number {
    const mask = this.#slots.length - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      if (this.#slots[slot] === 0) return slot;
      if (this.#hashes[2 * slot] === low && this.#hashes[2 * slot + 1] === high) return slot;
    }
  }

  #grow(): void {
    const [slots, hashes] = [this.#slots, this.#hashes];
    this.#slots = new Int32Array(2 * slots.length);
    this.#hashes = new Int32Array(2 * hashes.length);
    const mask = this.#slots.length - 1;
    for (let from = 0; from < slots.length; from++) {
      if (slots[from] === 0) continue;
      const low = hashes[2 * from] as number;
      let slot = low & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = slots[from] as number;
      this.#hashes[2 * slot] = low;
      this.#hashes[2 * slot + 1] = hashes[2 * from + 1] as number;
    }
  }
}

/** Two hashes of 32 bits that are computed together (cyrb53), without an allocation. */
export class TextHash {
  low = 0;
  high = 0;
  #isAscii = true;
  /** Random, so that a caller cannot choose texts with the same hash. */
  readonly #seed = Math.trunc(Math.random() * 2 ** 32) | 0;

  of(text: string): this {
    this.low = this.#seed;
    this.high = ~this.#seed;
    return this.add(text);
  }

  /** The same hash for all Unicode forms of a name. */
  ofName(text: string): this {
    this.of(text);
    return this.#isAscii ? this : this.of(nameKey(text));
  }

  /** Continues with a further text. */
  add(text: string): this {
    let [low, high, all] = [this.low, this.high, 0];
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      all |= code;
      low = Math.imul(low ^ code, 0x9e3779b1);
      high = Math.imul(high ^ code, 0x5f356495);
    }
    this.#isAscii = all < 0x80;
    // The end of the text, so that two texts in a row differ from one. No text has this code.
    low = Math.imul(low ^ 0x10000, 0x9e3779b1);
    high = Math.imul(high ^ 0x10000, 0x5f356495);
    low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
    high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
    this.low = low;
    this.high = high;
    return this;
  }
}
