import type { Readable } from 'node:stream';
import type { ByteRange } from '../../contracts/sources.ts';
import { RemoteStream } from './stream.ts';
import type { OpenOptions, SourceInfo, SourceReader } from '../source-reader.ts';

/** What a store looks like from here. Everything it throws is one of our errors. */
export interface RemoteStore {
  /** Asks anew each time. */
  stat(): Promise<RemoteInfo>;
  /** The bytes of the range, of the very content that `info` describes. */
  get(range: ByteRange, info: RemoteInfo): Promise<Readable>;
  /** What an error of the body means. */
  mapError(error: unknown): unknown;
  readonly stallTimeoutMs: number;
}

export interface RemoteInfo extends SourceInfo {
  /** The md5 that the store has of it, in lower-case hex. */
  readonly storedMd5?: string | undefined;
}

/**
 * Reads a source that is far away. Reads that follow each other come out of one answer, which is asked for as far as
 * `span` reaches; a read elsewhere asks again.
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
    // Closed while the answer was on its way.
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
