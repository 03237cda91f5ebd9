/** From `startByte` up to but not with `endByte`. */
export interface ByteRange {
  readonly startByte: number;
  readonly endByte: number;
}

/** Reads a `range` header of one range; anything else counts as no range, as HTTP allows. */
export function byteRange(header: string | undefined, sizeBytes: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const tailBytes = Math.min(Number(last), sizeBytes);
    return tailBytes === 0 ? 'unsatisfiable' : { startByte: sizeBytes - tailBytes, endByte: sizeBytes };
  }
  const startByte = Number(first);
  const endByte = last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (last !== '' && Number(last) < startByte) return undefined;
  return startByte >= sizeBytes ? 'unsatisfiable' : { startByte, endByte };
}
