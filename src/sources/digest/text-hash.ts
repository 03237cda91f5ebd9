/** The start of cyrb53, a hash of 2 × 32 bits. */
export const HASH_START = [0xdeadbeef | 0, 0x41c6ce57] as const;

/** The hash, after all bytes. */
export function finished(hash1: number, hash2: number): [number, number] {
  const one = Math.imul(hash1 ^ (hash1 >>> 16), 2_246_822_507) ^ Math.imul(hash2 ^ (hash2 >>> 13), 3_266_489_909);
  const two = Math.imul(hash2 ^ (hash2 >>> 16), 2_246_822_507) ^ Math.imul(one ^ (one >>> 13), 3_266_489_909);
  return [one >>> 0, two >>> 0];
}

/** The hash of a text that the rules compare, as of a string with this text; undefined if it is not ASCII. */
export function asciiHash(text: string): readonly [number, number] | undefined {
  let [one, two]: [number, number] = [HASH_START[0], HASH_START[1]];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return undefined;
    one = Math.imul(one ^ code, 2_654_435_761);
    two = Math.imul(two ^ code, 1_597_334_677);
  }
  return finished(one, two);
}
