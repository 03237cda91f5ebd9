import type { Readable } from 'node:stream';
import type { ByteRange } from '../../contracts/sources.ts';
import { SourceReadError } from '../../errors.ts';

/** Bytes of a source that is far away, as they arrive: taken out in buffers of the reader's, with nothing kept but one chunk. */
export class RemoteStream {
  readonly #body: Readable;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #stallTimeoutMs: number;
  readonly #endBytes: number;
  #rest: Uint8Array | undefined;
  #positionBytes: number;

  /**
   * @param range where in the source the body lies
   * @param stallTimeoutMs after which a read fails that gets nothing; a reader that takes its time is no stall
   */
  constructor(body: Readable, range: ByteRange, stallTimeoutMs: number) {
    this.#body = body;
    this.#chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    this.#positionBytes = range.offsetBytes;
    this.#endBytes = range.offsetBytes + range.sizeBytes;
    this.#stallTimeoutMs = stallTimeoutMs;
    // It may break while nobody reads; the next read tells.
    body.on('error', () => {});
  }

  /** Where in the source the next byte lies; undefined when there is none. */
  get positionBytes(): number | undefined {
    return this.#positionBytes < this.#endBytes ? this.#positionBytes : undefined;
  }

  /**
   * One byte at least; fewer than the buffer takes are usual. Rejects with what the body was destroyed with.
   *
   * @throws SourceReadError when nothing arrives for too long, or the body ends before the range
   */
  async read(buffer: Uint8Array): Promise<number> {
    const chunk = this.#rest ?? (await this.#next());
    // A server, or a proxy between, may end an answer without a length in good order: that says nothing of the source.
    if (chunk === undefined) throw new SourceReadError('the answer ended before the range that was asked for');
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
      this.#body.destroy(new SourceReadError(`the source gave nothing for ${this.#stallTimeoutMs} ms`));
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
