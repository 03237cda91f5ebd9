/**
 * A hash of 2 × 32 bits (two lanes of MurmurHash3), for each four bytes of a text in UTF-8. The halves are separate signed
 * numbers, because V8 allocates memory for larger numbers and for pairs.
 */
export const HASH1_START = 0x2f0b4a27;
export const HASH2_START = 0x41c6ce57;

/** The first half, after the next four bytes, as a little-endian number. */
export function nextHash1(hash1: number, word: number): number {
  const mixed = Math.imul(word, 0xcc9e2d51);
  const one = hash1 ^ Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
  return (Math.imul((one << 13) | (one >>> 19), 5) + 0xe6546b64) | 0;
}

/** The second half, after the next four bytes. */
export function nextHash2(hash2: number, word: number): number {
  const mixed = Math.imul(word, 0x239b961b);
  const two = hash2 ^ Math.imul((mixed << 16) | (mixed >>> 16), 0x38b34ae5);
  return (Math.imul((two << 17) | (two >>> 15), 5) + 0x0bcaa747) | 0;
}

/** The first half of the hash of a text. Zeros complete its last word. @param bytes their number */
export function endHash1(hash1: number, bytes: number): number {
  return finalMix(hash1 ^ bytes);
}

/** The second half of the hash of a text. @param end1 its first half */
export function endHash2(hash2: number, end1: number): number {
  return finalMix(hash2 ^ end1);
}

function finalMix(hash: number): number {
  const one = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const two = Math.imul(one ^ (one >>> 13), 0xc2b2ae35);
  return two ^ (two >>> 16);
}

export function textHash(text: string): readonly [number, number] {
  const hash = new ByteHash();
  for (const byte of Buffer.from(text)) hash.add(byte);
  hash.end();
  return [hash.hash1, hash.hash2];
}

/** Computes the hash byte by byte. */
export class ByteHash {
  hash1: number = HASH1_START;
  hash2: number = HASH2_START;
  #word = 0;
  #bytes = 0;

  start(): void {
    this.hash1 = HASH1_START;
    this.hash2 = HASH2_START;
    this.#word = 0;
    this.#bytes = 0;
  }

  add(byte: number): void {
    this.#word |= byte << ((this.#bytes & 3) << 3);
    if ((++this.#bytes & 3) === 0) this.#next();
  }

  /** `hash1` and `hash2` are then those of the text. */
  end(): void {
    if ((this.#bytes & 3) !== 0) this.#next();
    this.hash1 = endHash1(this.hash1, this.#bytes);
    this.hash2 = endHash2(this.hash2, this.hash1);
  }

  #next(): void {
    this.hash1 = nextHash1(this.hash1, this.#word);
    this.hash2 = nextHash2(this.hash2, this.#word);
    this.#word = 0;
  }
}
