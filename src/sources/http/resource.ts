import type { Dispatcher } from 'undici';
import { errnoCause } from '../../core/text/errno-cause.ts';
import {
  AbortedError,
  LonghaulError,
  SourceChangedError,
  SourceMissingError,
  SourceNotRangedError,
  SourceReadError,
  SourceUnusableError,
} from '../../errors.ts';
import { clip } from '../../core/text/clip.ts';
import { redactorOf, type Redact } from '../../redact.ts';
import { discardBody, etagOf, httpDateOf, networkProblem } from '../remote/values.ts';
import type { HttpConnections, HttpOptions, HttpResponse } from './connections.ts';

/** The content of a URL. It throws only errors of Longhaul. They never contain the query, which can be secret. */
export class HttpResource {
  /** The URL without its query. */
  readonly name: string;
  readonly #url: URL;
  readonly #connections: HttpConnections;
  readonly #redact: Redact;
  readonly #options: HttpOptions;

  /** @throws SourceForbiddenError, SourceNotNamedError */
  constructor(url: URL, connections: HttpConnections, options: HttpOptions) {
    connections.assertUrl(url, options.isNamed);
    this.name = `${url.origin}${url.pathname}`;
    this.#url = url;
    // The whole query, and all its long values.
    this.#redact = redactorOf([url.search.slice(1), ...url.searchParams.values()].filter(({ length }) => length > 7));
    this.#connections = connections;
    this.#options = options;
  }

  get stallTimeoutMs(): number {
    return this.#connections.stallTimeoutMs;
  }

  /** Returns a response with content, or 416. */
  async get(headers: Readonly<Record<string, string>>): Promise<Dispatcher.ResponseData> {
    let given: HttpResponse;
    try {
      given = await this.#connections.get(this.#url, headers, this.#options);
    } catch (error) {
      throw this.#named(this.mapError(refusalIn(error) ?? error));
    }
    const { response: answer, advice } = given;
    const { statusCode } = answer;
    const isAnswer = statusCode < 300 || statusCode === 416;
    const encoding = isAnswer ? encodingOf(answer.headers) : undefined;
    if (isAnswer && encoding === undefined) return answer;
    discardBody(answer.body);
    if (encoding !== undefined) {
      throw new SourceUnusableError(
        `cannot read ${this.name}: the server returned it encoded (${clip(encoding, 64)}), although the request forbids this. ` +
          'Download it, decode it, and upload the file.',
      );
    }
    if (statusCode === 412) throw this.changed();
    if (statusCode === 408 || statusCode === 425 || statusCode === 429 || statusCode >= 500) {
      throw new SourceReadError(`cannot read ${this.name}: the server returned ${statusCode}`);
    }
    const isDenied = statusCode === 401 || statusCode === 403;
    // A query can be a signature.
    const ofQuery = this.#url.search === '' ? '' : 'If its signature has expired, use a new URL. ';
    // Some servers return 404 instead of 403.
    const ofUrl = statusCode === 404 ? `Check the URL. ${advice}` : 'Check the URL.';
    const fix = isDenied ? `${ofQuery}${advice}` : ofUrl;
    throw new SourceMissingError(`cannot read ${this.name}: the server returned ${statusCode}. ${fix}`);
  }

  /** Maps an error of a response body. */
  mapError(error: unknown): unknown {
    if (error instanceof LonghaulError) return networkProblem(error, this.name) ?? error;
    const { name, code, message } = error as Partial<NodeJS.ErrnoException>;
    if (name === 'AbortError') return new AbortedError(`reading ${this.name} was aborted`, { cause: error });
    const why = code === undefined ? this.#redact(message ?? String(error)) : errnoCause(code);
    return new SourceReadError(`cannot read ${this.name}: ${why}`, { cause: error });
  }

  changed(): SourceChangedError {
    return new SourceChangedError(`${this.name} changed while it was read. Start a new upload.`);
  }

  notRanged(why: string): SourceNotRangedError {
    return new SourceNotRangedError(
      `cannot read ${this.name} in parts: ${why}. ` +
        'To download it first and upload the file, use "longhaul upload URL --spool".',
    );
  }

  #named(error: unknown): unknown {
    if (error instanceof SourceReadError && !error.message.includes(this.name)) {
      return new SourceReadError(`cannot read ${this.name}: ${error.message}`, { cause: error });
    }
    if (error instanceof SourceMissingError) {
      return new SourceMissingError(`cannot read ${this.name}: ${error.message}`, { cause: error });
    }
    return error;
  }
}

/** The value that detects a change: a strong ETag (a weak ETag can be the same for different content), or the time. */
export function validatorOf({
  etag,
  'last-modified': lastModified,
}: Dispatcher.ResponseData['headers']): string | undefined {
  const strong = etagOf(etag);
  return strong !== undefined && !/^W\//i.test(strong) ? strong : httpDateOf(lastModified);
}

/** `aws-chunked` is the encoding of a request to S3, which some stores return. */
const PLAIN = ['', 'identity', 'aws-chunked'];

/** The encoding of the bytes; undefined if they are those of the resource. */
function encodingOf({ 'content-encoding': encoding }: Dispatcher.ResponseData['headers']): string | undefined {
  const text = String(encoding ?? '').trim();
  return PLAIN.includes(text.toLowerCase()) ? undefined : text;
}

/** undici wraps the error of a lookup. */
function refusalIn(error: unknown): LonghaulError | undefined {
  for (let cause = error; cause instanceof Error; { cause } = cause)
    if (cause instanceof LonghaulError && !(cause instanceof SourceMissingError) && !(cause instanceof SourceReadError))
      return cause;
  return undefined;
}
