import type { Readable } from 'node:stream';
import type { ByteRange } from '../../contracts/sources.ts';
import { RemoteStream } from './stream.ts';
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
    const info = this.#info ?? (await this.#look());
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

  async #look(): Promise<RemoteInfo> {
    await this.stat();
    return this.#info as RemoteInfo;
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
