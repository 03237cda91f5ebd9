import type { Readable } from 'node:stream';
import { Agent, type Dispatcher } from 'undici';
import type { ByteRange, HttpSource } from '../contracts/sources.ts';
import {
  AbortedError,
  LonghaulError,
  SourceChangedError,
  SourceForbiddenError,
  SourceMissingError,
  SourceNotRangedError,
  SourceReadError,
  SourceUnusableError,
} from '../errors.ts';
import type { AddressPolicy } from './address-policy.ts';
import { RemoteReader, type RemoteInfo, type RemoteStore } from './remote-reader.ts';
import type { OpenOptions, SourceReader } from './source-reader.ts';

const MAX_REDIRECTS = 5;
const CONNECT_TIMEOUT_MS = 10_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Connections to HTTP sources, none of which leads where the policy forbids. */
export class HttpSources {
  readonly #policy: AddressPolicy;
  readonly #agent: Agent;
  readonly stallTimeoutMs: number;

  constructor(policy: AddressPolicy, stallTimeoutMs: number) {
    this.#policy = policy;
    this.stallTimeoutMs = stallTimeoutMs;
    this.#agent = new Agent({
      connect: { lookup: policy.lookup, timeout: CONNECT_TIMEOUT_MS },
      headersTimeout: stallTimeoutMs,
      bodyTimeout: stallTimeoutMs,
    });
  }

  /** @param query of the URL, without its `?` */
  open(source: HttpSource, query: string | undefined, options: OpenOptions): SourceReader {
    const url = new URL(source.url);
    if (query !== undefined) url.search = query;
    this.#policy.assertUrl(url);
    return new RemoteReader(new HttpStore(source.url, url, this, options.signal), options);
  }

  /** One GET, redirects followed: each of them is checked like the first address. */
  async get(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined) {
    let target = url;
    for (let hops = 0; ; hops++) {
      this.#policy.assertUrl(target);
      const answer = await this.#agent.request({
        origin: target.origin,
        path: `${target.pathname}${target.search}`,
        method: 'GET',
        headers: { 'user-agent': 'longhaul', accept: '*/*', 'accept-encoding': 'identity', ...headers },
        signal: signal ?? null,
      });
      const { location } = answer.headers;
      if (!REDIRECTS.has(answer.statusCode) || typeof location !== 'string') return answer;
      discard(answer.body);
      if (hops === MAX_REDIRECTS) throw new SourceMissingError('it leads through more than five redirects');
      const next = URL.canParse(location, target.href) ? new URL(location, target.href) : undefined;
      if (!next) throw new SourceMissingError('it redirects to what is no address');
      // What a query signs must not travel in the clear.
      if (target.protocol === 'https:' && next.protocol === 'http:') {
        throw new SourceForbiddenError('it redirects from https: to http:, where anybody could read and change it');
      }
      target = next;
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

interface HttpInfo extends RemoteInfo {
  /** Of a `If-Range`, or `If-Match`, or both. */
  readonly validator: string;
}

class HttpStore implements RemoteStore {
  readonly stallTimeoutMs: number;
  readonly #name: string;
  readonly #url: URL;
  readonly #sources: HttpSources;
  readonly #signal: AbortSignal | undefined;

  /** @param name the URL without its query, which may be secret */
  constructor(name: string, url: URL, sources: HttpSources, signal: AbortSignal | undefined) {
    this.#name = name;
    this.#url = url;
    this.#sources = sources;
    this.#signal = signal;
    this.stallTimeoutMs = sources.stallTimeoutMs;
  }

  /** By one byte rather than by HEAD: a presigned URL is signed for one method, and some servers know no other. */
  async stat(): Promise<HttpInfo> {
    const { statusCode, headers, body } = await this.#get({ range: 'bytes=0-0' });
    discard(body);
    if (statusCode === 416) throw new SourceUnusableError(`${this.#name} is empty; there is nothing to upload`);
    if (statusCode !== 206) throw this.#notRanged('it answers a range with the whole');
    return this.#infoOf(headers);
  }

  async get({ offsetBytes, sizeBytes }: ByteRange, info: RemoteInfo): Promise<Readable> {
    const { validator } = info as HttpInfo;
    const last = offsetBytes + sizeBytes - 1;
    const { statusCode, headers, body } = await this.#get({
      range: `bytes=${offsetBytes}-${last}`,
      // With another content the server gives the whole instead of a range.
      'if-range': validator,
    });
    try {
      if (statusCode !== 206) throw this.#changed();
      if (this.#infoOf(headers).fingerprint !== info.fingerprint) throw this.#changed();
      if (headers['content-range'] !== `bytes ${offsetBytes}-${last}/${info.sizeBytes}`) {
        throw this.#notRanged(`it gives other bytes than those it is asked for`);
      }
      return body;
    } catch (error) {
      discard(body);
      throw error;
    }
  }

  mapError(error: unknown): unknown {
    if (error instanceof LonghaulError) return error;
    const { name, code, message } = error as Partial<NodeJS.ErrnoException>;
    if (name === 'AbortError') return new AbortedError(`reading ${this.#name} was aborted`, { cause: error });
    return new SourceReadError(`${this.#name} can't be read at the moment (${code ?? message ?? String(error)})`, {
      cause: error,
    });
  }

  async #get(headers: Readonly<Record<string, string>>): Promise<Dispatcher.ResponseData> {
    let answer: Dispatcher.ResponseData;
    try {
      answer = await this.#sources.get(this.#url, headers, this.#signal);
    } catch (error) {
      throw this.#refusalIn(error) ?? this.#named(this.mapError(error));
    }
    const { statusCode } = answer;
    if (statusCode < 300 || statusCode === 416) return answer;
    discard(answer.body);
    if (statusCode === 412) throw this.#changed();
    if (statusCode === 408 || statusCode === 425 || statusCode === 429 || statusCode >= 500) {
      throw new SourceReadError(`${this.#name} can't be read at the moment (the server answered ${statusCode})`);
    }
    const advice =
      statusCode === 401 || statusCode === 403 ? 'its signature may have expired; give a new URL' : 'check the URL';
    throw new SourceMissingError(`${this.#name} can't be read: the server answered ${statusCode}; ${advice}`);
  }

  #named(error: unknown): unknown {
    if (!(error instanceof SourceMissingError)) return error;
    return new SourceMissingError(`${this.#name} can't be read: ${error.message}`, { cause: error });
  }

  /** undici wraps what the look-up of a name threw. */
  #refusalIn(error: unknown): LonghaulError | undefined {
    for (let cause = error; cause instanceof Error; { cause } = cause)
      if (cause instanceof LonghaulError && !(cause instanceof SourceMissingError)) return cause;
    return undefined;
  }

  #infoOf(headers: Dispatcher.ResponseData['headers']): HttpInfo {
    const total = /^bytes \d+-\d+\/(\d+)$/.exec(String(headers['content-range']))?.[1];
    if (total === undefined) throw this.#notRanged('it tells no size');
    const { etag, 'last-modified': lastModified } = headers;
    // A weak ETag stays the same for contents that differ a little.
    const validator = typeof etag === 'string' && !etag.startsWith('W/') ? etag : lastModified;
    if (typeof validator !== 'string') {
      throw this.#notRanged('it tells neither a strong ETag nor a time of change, by which a change would be noticed');
    }
    return { sizeBytes: Number(total), fingerprint: `${total}-${validator}`, validator };
  }

  #changed(): SourceChangedError {
    return new SourceChangedError(`${this.#name} changed while it was read; start a new upload of what is there now`);
  }

  #notRanged(why: string): SourceNotRangedError {
    return new SourceNotRangedError(
      `${this.#name} can't be read in parts: ${why}. Download it first and upload the file`,
    );
  }
}

function discard(body: Readable): void {
  body.on('error', () => {}).destroy();
}
