/**
 * Where reads are quick: on AMD's Zen, copying into memory that begins 8 to 31 bytes behind a page takes the kernel three
 * to four times as long, and `malloc` puts what it maps for itself 16 bytes behind one. This leads to the next cache line.
 */
const SHIFT_BYTES = 48;

/** Memory for reads, none of which other buffers share; `count` buffers of the same size. */
export function allocateReadBuffers(count: number, bytes: number): Buffer[] {
  // Not `allocUnsafe`, which may cut small buffers out of a slab that others write to. All in one, so that none begins
  // where `malloc` happens to have room.
  const slab = Buffer.allocUnsafeSlow(count * bytes + SHIFT_BYTES);
  return Array.from({ length: count }, (_, index) => {
    const start = SHIFT_BYTES + index * bytes;
    return slab.subarray(start, start + bytes);
  });
}
