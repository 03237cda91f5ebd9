/**
 * cyrb53, a hash of 2 × 32 bits. The halves are separate signed numbers, because V8 allocates memory for larger numbers and
 * for pairs.
 */
export const HASH1_START = 0xdeadbeef | 0;
export const HASH2_START = 0x41c6ce57;

/** The first half, after the next byte. */
export function nextHash1(hash1: number, byte: number): number {
  return Math.imul(hash1 ^ byte, 2_654_435_761);
}

/** The second half, after the next byte. */
export function nextHash2(hash2: number, byte: number): number {
  return Math.imul(hash2 ^ byte, 1_597_334_677);
}

/** The first half of the hash, after all bytes. */
export function endHash1(hash1: number, hash2: number): number {
  return Math.imul(hash1 ^ (hash1 >>> 16), 2_246_822_507) ^ Math.imul(hash2 ^ (hash2 >>> 13), 3_266_489_909);
}

/** The second half of the hash, after all bytes. */
export function endHash2(hash1: number, hash2: number): number {
  const one = endHash1(hash1, hash2);
  return Math.imul(hash2 ^ (hash2 >>> 16), 2_246_822_507) ^ Math.imul(one ^ (one >>> 13), 3_266_489_909);
}

/** The hash of a text in UTF-8. */
export function textHash(text: string): readonly [number, number] {
  let [one, two]: [number, number] = [HASH1_START, HASH2_START];
  for (const byte of Buffer.from(text)) [one, two] = [nextHash1(one, byte), nextHash2(two, byte)];
  return [endHash1(one, two), endHash2(one, two)];
}
