import type { Dispatcher } from 'undici';
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
import type { HttpConnections, HttpResponse } from './connections.ts';
import type { OpenOptions } from '../source-reader.ts';

/** What lies behind one URL. Everything it throws is one of our errors, and none names the query, which may be secret. */
export class HttpResource {
  /** The URL without its query. */
  readonly name: string;
  readonly #url: URL;
  readonly #connections: HttpConnections;
  readonly #redact: Redact;
  readonly #options: OpenOptions;

  /** @throws SourceForbiddenError, SourceNotNamedError */
  constructor(url: URL, connections: HttpConnections, options: OpenOptions) {
    connections.assertUrl(url, options.isNamed ?? false);
    this.name = `${url.origin}${url.pathname}`;
    this.#url = url;
    // The whole query, and long values of it, whatever their names are.
    this.#redact = redactorOf([url.search.slice(1), ...url.searchParams.values()].filter(({ length }) => length > 7));
    this.#connections = connections;
    this.#options = options;
  }

  get stallTimeoutMs(): number {
    return this.#connections.stallTimeoutMs;
  }

  /** An answer that carries something, or 416. */
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
        `${this.name} comes encoded (${clip(encoding, 64)}), though it was asked for as it is. ` +
          'Download it, decode it, and upload the file.',
      );
    }
    if (statusCode === 412) throw this.changed();
    if (statusCode === 408 || statusCode === 425 || statusCode === 429 || statusCode >= 500) {
      throw new SourceReadError(`${this.name} can't be read at the moment (the server answered ${statusCode})`);
    }
    const isDenied = statusCode === 401 || statusCode === 403;
    // A query can be a signature.
    const ofQuery = this.#url.search === '' ? '' : 'its signature may have expired; give a new URL, or ';
    // Some servers hide what the request is not allowed to see.
    const ofUrl = statusCode === 404 ? `check the URL; ${advice}` : 'check the URL';
    const fix = isDenied ? `${ofQuery}${advice}` : ofUrl;
    throw new SourceMissingError(`${this.name} can't be read: the server answered ${statusCode}; ${fix}`);
  }

  /** What an error of an answer's body means. */
  mapError(error: unknown): unknown {
    if (error instanceof LonghaulError) return networkProblem(error, this.name) ?? error;
    const { name, code, message } = error as Partial<NodeJS.ErrnoException>;
    if (name === 'AbortError') return new AbortedError(`reading ${this.name} was aborted`, { cause: error });
    const why = this.#redact(code ?? message ?? String(error));
    return new SourceReadError(`${this.name} can't be read at the moment (${why})`, { cause: error });
  }

  changed(): SourceChangedError {
    return new SourceChangedError(`${this.name} changed while it was read; start a new upload of what is there now`);
  }

  notRanged(why: string): SourceNotRangedError {
    return new SourceNotRangedError(
      `${this.name} can't be read in parts: ${why}. ` +
        'Download it first and upload the file: "longhaul upload URL --spool" does both',
    );
  }

  #named(error: unknown): unknown {
    if (error instanceof SourceReadError && !error.message.startsWith(this.name)) {
      return new SourceReadError(`${this.name} can't be read at the moment (${error.message})`, { cause: error });
    }
    if (error instanceof SourceMissingError) {
      return new SourceMissingError(`${this.name} can't be read: ${error.message}`, { cause: error });
    }
    return error;
  }
}

/** By which a change is noticed: an ETag, unless it is a weak one, which stays the same for contents that differ a little. */
export function validatorOf({
  etag,
  'last-modified': lastModified,
}: Dispatcher.ResponseData['headers']): string | undefined {
  const strong = etagOf(etag);
  return strong !== undefined && !/^W\//i.test(strong) ? strong : httpDateOf(lastModified);
}

/** `aws-chunked` is how an object was sent to S3; some stores repeat it. */
const PLAIN = ['', 'identity', 'aws-chunked'];

/** How the bytes were encoded, so that they are not those of the resource; undefined when they are. */
function encodingOf({ 'content-encoding': encoding }: Dispatcher.ResponseData['headers']): string | undefined {
  const text = String(encoding ?? '').trim();
  return PLAIN.includes(text.toLowerCase()) ? undefined : text;
}

/** undici wraps what the look-up of a name threw. */
function refusalIn(error: unknown): LonghaulError | undefined {
  for (let cause = error; cause instanceof Error; { cause } = cause)
    if (cause instanceof LonghaulError && !(cause instanceof SourceMissingError) && !(cause instanceof SourceReadError))
      return cause;
  return undefined;
}
