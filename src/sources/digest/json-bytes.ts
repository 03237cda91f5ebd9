/** The byte of each escape other than `\u`; 0: not an escape. */
export const ESCAPES = new Uint8Array(256);
for (const [from, to] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'].map((pair) => Buffer.from(pair))) {
  ESCAPES[from as number] = to as number;
}
