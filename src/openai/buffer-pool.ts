/** Idle buffers beyond this are left to the garbage collector: 16 MiB. */
const MAX_IDLE = 64;

export const BUFFER_BYTES = 256 * 1024;

/**
 * Buffers that are used again and again. Fresh ones cost garbage collections, which is most of the difference between
 * this and a stream. A buffer that never comes back is replaced by a new one, so a lost one does no harm; one that
 * comes back while something still reads or writes it corrupts another part.
 */
export class BufferPool {
  readonly #idle: Buffer[] = [];

  take(): Buffer {
    // Not `allocUnsafe`, which may cut small buffers out of a slab that others write to.
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  give(buffer: Buffer): void {
    if (this.#idle.length < MAX_IDLE) this.#idle.push(buffer);
  }
}
