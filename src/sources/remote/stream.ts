import type { Readable } from 'node:stream';
import type { ByteRange } from '../../contracts/sources.ts';
import { SourceReadError } from '../../errors.ts';

/** Bytes of a remote source as they arrive, copied into the buffers of the reader. It stores at most one chunk. */
export class RemoteStream {
  readonly #body: Readable;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #stallTimeoutMs: number;
  readonly #endBytes: number;
  #rest: Uint8Array | undefined;
  #positionBytes: number;

  /**
   * @param range the position of the body in the source
   * @param stallTimeoutMs time without bytes after which a read fails. Time between reads does not count
   */
  constructor(body: Readable, range: ByteRange, stallTimeoutMs: number) {
    this.#body = body;
    this.#chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    this.#positionBytes = range.offsetBytes;
    this.#endBytes = range.offsetBytes + range.sizeBytes;
    this.#stallTimeoutMs = stallTimeoutMs;
    // If it breaks between reads, the next read fails.
    body.on('error', () => {});
  }

  /** Position of the next byte in the source; undefined at the end. */
  get positionBytes(): number | undefined {
    return this.#positionBytes < this.#endBytes ? this.#positionBytes : undefined;
  }

  /**
   * Reads at least one byte, usually fewer than the size of the buffer. Rejects with the error of a destroyed body.
   *
   * @throws SourceReadError if no bytes arrive within the timeout, or the body ends before the range
   */
  async read(buffer: Uint8Array): Promise<number> {
    const chunk = this.#rest ?? (await this.#next());
    // A server or a proxy can end a response without a length early. This does not show that the source changed.
    if (chunk === undefined) throw new SourceReadError('the response ended before the end of the requested range');
    const taken = Math.min(chunk.byteLength, buffer.byteLength, this.#endBytes - this.#positionBytes);
    buffer.set(taken === chunk.byteLength ? chunk : chunk.subarray(0, taken));
    this.#rest = taken === chunk.byteLength ? undefined : chunk.subarray(taken);
    this.#positionBytes += taken;
    return taken;
  }

  close(): void {
    this.#body.destroy();
  }

  async #next(): Promise<Uint8Array | undefined> {
    const timer = setTimeout(() => {
      this.#body.destroy(new SourceReadError(`the source sent no bytes for ${this.#stallTimeoutMs} ms`));
    }, this.#stallTimeoutMs);
    try {
      for (;;) {
        const { done, value } = await this.#chunks.next();
        if (done) return undefined;
        if (value.byteLength > 0) return value;
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
