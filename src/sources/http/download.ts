import { setTimeout } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { SourceReadError, SourceUnusableError } from '../../errors.ts';
import { discardBody, contentRangeOf, sizeOf } from '../remote/values.ts';
import { validatorOf, type HttpResource } from './resource.ts';

const MAX_FAILURES = 5;

/** Receives the bytes of a download. */
export interface DownloadSink {
  /**
   * Called before the first byte, also if the download restarts. Then all earlier bytes are invalid.
   *
   * @param sizeBytes size of the download; undefined if the server does not return it
   */
  readonly begin: (sizeBytes: number | undefined) => Promise<void>;
  readonly write: (chunk: Uint8Array) => Promise<void>;
  /** Called with the error of an attempt that is retried. */
  readonly retrying: (error: SourceReadError) => void;
}

export interface DownloadOptions {
  readonly signal: AbortSignal;
  /** Delay before the second attempt; doubled for each further attempt. @defaultValue 1,000 */
  readonly retryDelayMs?: number;
}

/**
 * Downloads a resource completely. The server does not have to support ranges. If the response breaks, the download
 * resumes if the server supports it, and restarts otherwise. After five failures in a row, the download fails.
 *
 * @throws SourceReadError after five failures in a row
 * @throws SourceForbiddenError, SourceMissingError, SourceUnusableError
 * @throws the errors of the sink, and the reason of `signal`
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
      // A failed attempt makes progress only if the server supports ranges.
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
  /** Whether the last attempt received more bytes than the attempts before. */
  hasGoneOn = false;

  constructor(resource: HttpResource, sink: DownloadSink) {
    this.#resource = resource;
    this.#sink = sink;
  }

  async attempt(): Promise<void> {
    this.hasGoneOn = false;
    const goesOn = this.#receivedBytes > 0 && this.#validator !== undefined;
    const answer = await this.#resource.get(
      // If the content changed, the server returns all of it instead of a range.
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
      `${this.#resource.name} returned ${this.#receivedBytes} bytes instead of ${this.#sizeBytes}`,
    );
  }

  async #begin(headers: Dispatcher.ResponseData['headers']): Promise<void> {
    const length = headers['content-length'];
    this.#receivedBytes = 0;
    this.#sizeBytes = announcedBytes(length);
    this.#validator = validatorOf(headers);
    await this.#sink.begin(this.#sizeBytes);
  }

  /** If the response is not the rest of the content, the download restarts. */
  #assertRest({ statusCode, headers }: Dispatcher.ResponseData, wasAskedFor: boolean): void {
    if (!wasAskedFor || (statusCode !== 206 && statusCode !== 416)) {
      throw new SourceUnusableError(
        `cannot download ${this.#resource.name}: the server returned ${statusCode}. Check the URL.`,
      );
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
    throw new SourceReadError(
      `cannot resume the download of ${this.#resource.name}: the response (${statusCode}) does not match the bytes received so far. Restarting the download.`,
    );
  }
}

/** A length that exceeds every number means that there is not enough space, not that the length is unknown. */
function announcedBytes(length: string | string[] | undefined): number | undefined {
  if (typeof length !== 'string' || !/^\d{1,400}$/.test(length)) return undefined;
  return sizeOf(length) ?? Number.MAX_SAFE_INTEGER;
}
