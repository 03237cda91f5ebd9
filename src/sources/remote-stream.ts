import type { Readable } from 'node:stream';
import { SourceReadError } from '../errors.ts';

/** Bytes of a source that is far away, as they arrive: taken out in buffers of the reader's, with nothing kept but one chunk. */
export class RemoteStream {
  readonly #body: Readable;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #stall: NodeJS.Timeout;
  #rest: Uint8Array | undefined;
  #positionBytes: number;

  /**
   * @param positionBytes where in the source the first byte lies
   * @param stallTimeoutMs after which a read fails that gets nothing
   */
  constructor(body: Readable, positionBytes: number, stallTimeoutMs: number) {
    this.#body = body;
    this.#chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    this.#positionBytes = positionBytes;
    this.#stall = setTimeout(() => {
      body.destroy(new SourceReadError(`the source gave nothing for ${stallTimeoutMs} ms`));
    }, stallTimeoutMs).unref();
  }

  /** Where in the source the next byte lies. */
  get positionBytes(): number {
    return this.#positionBytes;
  }

  /** Fewer bytes than the buffer takes are usual; 0 is the end. Rejects with what the body was destroyed with. */
  async read(buffer: Uint8Array): Promise<number> {
    this.#stall.refresh();
    const chunk = this.#rest ?? (await this.#next());
    if (chunk === undefined) return 0;
    const taken = Math.min(chunk.byteLength, buffer.byteLength);
    buffer.set(taken === chunk.byteLength ? chunk : chunk.subarray(0, taken));
    this.#rest = taken === chunk.byteLength ? undefined : chunk.subarray(taken);
    this.#positionBytes += taken;
    return taken;
  }

  close(): void {
    clearTimeout(this.#stall);
    this.#body.on('error', () => {}).destroy();
  }

  async #next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const { done, value } = await this.#chunks.next();
      if (done) return undefined;
      if (value.byteLength > 0) return value;
    }
  }
}
