/**
 * An offset at which reads are fast. On AMD's Zen, the kernel takes three to four times as long to copy into memory that
 * starts 8 to 31 bytes after the start of a page, and `malloc` starts large memory at 16 bytes. This is the next cache line.
 */
const SHIFT_BYTES = 48;

/** `count` buffers of the same size for reads, which share no memory with other buffers. */
export function allocateReadBuffers(count: number, bytes: number): Buffer[] {
  // Not `allocUnsafe`, which can use a slab that others write to. One allocation, so that each buffer starts at the
  // offset.
  const slab = Buffer.allocUnsafeSlow(count * bytes + SHIFT_BYTES);
  return Array.from({ length: count }, (_, index) => {
    const start = SHIFT_BYTES + index * bytes;
    return slab.subarray(start, start + bytes);
  });
}
