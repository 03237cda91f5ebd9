import type { Readable } from 'node:stream';
import type { ByteRange } from '../../contracts/sources.ts';
import { SourceReadError } from '../../errors.ts';
import type { OpenOptions, SourceInfo, SourceReader } from '../source-reader.ts';

/** The port of a store. It throws only errors of Longhaul. */
export interface RemoteStore {
  /** Sends a request each time. */
  stat(): Promise<RemoteInfo>;
  /** The bytes of the range, of exactly the content that `info` describes. */
  get(range: ByteRange, info: RemoteInfo): Promise<Readable>;
  /** Maps an error of the body. */
  mapError(error: unknown): unknown;
  readonly stallTimeoutMs: number;
}

export interface RemoteInfo extends SourceInfo {
  /** MD5 that the store returns for it, in lower-case hex. */
  readonly storedMd5?: string | undefined;
}

/**
 * Reads a remote source. Consecutive reads use one response, which is requested up to the end of `span`. A read at
 * another position sends a new request.
 */
export class RemoteReader implements SourceReader {
  readonly #store: RemoteStore;
  readonly #span: ByteRange | undefined;
  #info: RemoteInfo | undefined;
  #stream: RemoteStream | undefined;
  #isClosed = false;

  constructor(store: RemoteStore, { span }: OpenOptions) {
    this.#store = store;
    this.#span = span;
  }

  async stat(): Promise<SourceInfo> {
    this.#info = await this.#store.stat();
    const { sizeBytes, fingerprint } = this.#info;
    return { sizeBytes, fingerprint };
  }

  storedMd5(): string | undefined {
    return this.#info?.storedMd5;
  }

  async read(buffer: Uint8Array, offsetBytes: number): Promise<number> {
    const info = (this.#info ??= await this.#store.stat());
    if (offsetBytes >= info.sizeBytes) return 0;
    try {
      const stream = await this.#streamFrom(offsetBytes, info);
      return await stream.read(buffer);
    } catch (error) {
      this.#drop();
      throw this.#store.mapError(error);
    }
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#drop();
    return Promise.resolve();
  }

  async #streamFrom(offsetBytes: number, info: RemoteInfo): Promise<RemoteStream> {
    if (this.#stream?.positionBytes === offsetBytes) return this.#stream;
    this.#drop();
    const end = this.#endFor(offsetBytes, info.sizeBytes);
    const range = { offsetBytes, sizeBytes: end - offsetBytes };
    const body = await this.#store.get(range, info);
    this.#stream = new RemoteStream(body, range, this.#store.stallTimeoutMs);
    // Closed before the response arrived.
    if (this.#isClosed) this.#drop();
    return this.#stream ?? Promise.reject(new Error('the reader is closed'));
  }

  #endFor(offsetBytes: number, sizeBytes: number): number {
    if (this.#span === undefined) return sizeBytes;
    const end = Math.min(this.#span.offsetBytes + this.#span.sizeBytes, sizeBytes);
    return end > offsetBytes ? end : sizeBytes;
  }

  #drop(): void {
    this.#stream?.close();
    this.#stream = undefined;
  }
}

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
