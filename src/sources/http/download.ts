import { setTimeout } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { SourceReadError, SourceUnusableError } from '../../errors.ts';
import { discardBody, contentRangeOf, sizeOf } from '../remote/values.ts';
import { validatorOf, type HttpResource } from './resource.ts';

const MAX_FAILURES = 5;

/** What takes the bytes of a download. */
export interface DownloadSink {
  /**
   * The first byte comes next: also in the middle of a download that had to begin again, when all that was written is void.
   *
   * @param sizeBytes of all that comes; undefined where the server doesn't tell
   */
  readonly begin: (sizeBytes: number | undefined) => Promise<void>;
  readonly write: (chunk: Uint8Array) => Promise<void>;
  /** Told why an attempt failed that another one follows. */
  readonly retrying: (error: SourceReadError) => void;
}

export interface DownloadOptions {
  readonly signal: AbortSignal;
  /** Before the second attempt; doubled for each further one. @defaultValue 1,000 */
  readonly retryDelayMs?: number;
}

/**
 * Fetches a resource from the first byte to the last, from a server that need not know ranges. An answer that breaks is
 * gone on with where the server takes that, or else begun again; after five failures in a row that is given up.
 *
 * @throws SourceReadError when it was tried often enough
 * @throws SourceForbiddenError, SourceMissingError, SourceUnusableError
 * @throws what the sink throws, and the reason of `signal`
 */
export async function downloadHttp(
  resource: HttpResource,
  sink: DownloadSink,
  { signal, retryDelayMs = 1000 }: DownloadOptions,
): Promise<void> {
  const download = new Download(resource, sink);
  for (let failures = 0; ;) {
    try {
      await download.attempt();
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SourceReadError)) throw error;
      // Only where a server knows ranges does an attempt that failed bring the end nearer.
      failures = download.hasGoneOn ? 1 : failures + 1;
      if (failures === MAX_FAILURES) throw error;
      sink.retrying(error);
      await setTimeout(retryDelayMs * 2 ** (failures - 1), undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

class Download {
  readonly #resource: HttpResource;
  readonly #sink: DownloadSink;
  #receivedBytes = 0;
  #sizeBytes: number | undefined;
  #validator: string | undefined;
  /** Whether the last attempt brought bytes beyond those of the attempts before. */
  hasGoneOn = false;

  constructor(resource: HttpResource, sink: DownloadSink) {
    this.#resource = resource;
    this.#sink = sink;
  }

  async attempt(): Promise<void> {
    this.hasGoneOn = false;
    const goesOn = this.#receivedBytes > 0 && this.#validator !== undefined;
    const answer = await this.#resource.get(
      // With another content the server gives the whole instead of a range.
      goesOn ? { range: `bytes=${this.#receivedBytes}-`, 'if-range': this.#validator as string } : {},
    );
    try {
      if (answer.statusCode === 200) await this.#begin(answer.headers);
      else this.#assertRest(answer, goesOn);
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
        await this.#sink.write(chunk);
        this.#receivedBytes += chunk.byteLength;
        this.hasGoneOn = answer.statusCode === 206;
      }
    } catch (error) {
      discardBody(answer.body);
      throw this.#resource.mapError(error);
    }
    if (this.#sizeBytes === undefined || this.#sizeBytes === this.#receivedBytes) return;
    throw new SourceReadError(
      `${this.#resource.name} came with ${this.#receivedBytes} bytes instead of ${this.#sizeBytes}`,
    );
  }

  async #begin(headers: Dispatcher.ResponseData['headers']): Promise<void> {
    const length = headers['content-length'];
    this.#receivedBytes = 0;
    this.#sizeBytes = announcedBytes(length);
    this.#validator = validatorOf(headers);
    await this.#sink.begin(this.#sizeBytes);
  }

  /** What isn't the rest that was asked for is begun again. */
  #assertRest({ statusCode, headers }: Dispatcher.ResponseData, wasAskedFor: boolean): void {
    if (!wasAskedFor || (statusCode !== 206 && statusCode !== 416)) {
      throw new SourceUnusableError(`${this.#resource.name} can't be downloaded: the server answered ${statusCode}`);
    }
    const range = contentRangeOf(headers['content-range']);
    const sizeBytes = range && (range.sizeBytes ?? range.lastByte + 1);
    const isSame =
      statusCode === 206 &&
      range?.firstByte === this.#receivedBytes &&
      sizeBytes === range.lastByte + 1 &&
      (this.#sizeBytes === undefined || sizeBytes === this.#sizeBytes) &&
      validatorOf(headers) === this.#validator;
    if (isSame) {
      this.#sizeBytes = sizeBytes;
      return;
    }
    this.#validator = undefined;
    throw new SourceReadError(`${this.#resource.name} was not gone on with by its server (it answered ${statusCode})`);
  }
}

/** A length that no number holds is more than there is room for, and not an unknown one. */
function announcedBytes(length: string | string[] | undefined): number | undefined {
  if (typeof length !== 'string' || !/^\d{1,400}$/.test(length)) return undefined;
  return sizeOf(length) ?? Number.MAX_SAFE_INTEGER;
}
