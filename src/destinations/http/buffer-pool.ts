import { allocateReadBuffers } from '../../sources/digest/read-memory.ts';

/** Idle buffers beyond this are left to the garbage collector, which frees those made at once together: 16 MiB. */
const MAX_IDLE = 32;
/** Made at once: what four parts need. */
const GROW_BY = 8;

export const BUFFER_BYTES = 512 * 1024;

/**
 * Buffers that are used again and again. Fresh ones cost garbage collections, which is most of the difference between
 * this and a stream. A buffer that never comes back is replaced by a new one, so a lost one does no harm; one that
 * comes back while something still reads or writes it corrupts another part.
 */
export class BufferPool {
  readonly #idle: Buffer[] = [];

  take(): Buffer {
    if (this.#idle.length === 0) this.#idle.push(...allocateReadBuffers(GROW_BY, BUFFER_BYTES));
    return this.#idle.pop() as Buffer;
  }

  give(buffer: Buffer): void {
    if (this.#idle.length < MAX_IDLE) this.#idle.push(buffer);
  }
}
