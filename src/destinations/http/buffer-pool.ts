import { allocateReadBuffers } from '../../sources/digest/read-memory.ts';

/** More idle buffers are garbage-collected. Buffers that were created together are freed together: 16 MiB. */
const MAX_IDLE = 32;
/** Created together: the buffers of four parts. */
const GROW_BY = 8;

export const BUFFER_BYTES = 512 * 1024;

/**
 * Buffers that are reused. New buffers cost garbage collections, which are most of the difference between this and a
 * stream. A buffer that is not returned is replaced by a new one, so a lost buffer has no effect. A buffer that is returned
 * while it is still read or written corrupts another part.
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
