import type { Dispatcher } from 'undici';
import {
  AbortedError,
  LonghaulError,
  SourceChangedError,
  SourceMissingError,
  SourceNotRangedError,
  SourceReadError,
} from '../errors.ts';
import { discardBody } from './discard-body.ts';
import type { HttpConnections } from './http-connections.ts';
import type { OpenOptions } from './source-reader.ts';

/** What lies behind one URL. Everything it throws is one of our errors, and none names the query, which may be secret. */
export class HttpResource {
  /** The URL without its query. */
  readonly name: string;
  readonly #url: URL;
  readonly #connections: HttpConnections;
  readonly #options: OpenOptions;

  /** @throws SourceForbiddenError, SourceNotNamedError */
  constructor(url: URL, connections: HttpConnections, options: OpenOptions) {
    connections.assertUrl(url, options.isNamed ?? false);
    this.name = `${url.origin}${url.pathname}`;
    this.#url = url;
    this.#connections = connections;
    this.#options = options;
  }

  get stallTimeoutMs(): number {
    return this.#connections.stallTimeoutMs;
  }

  /** An answer that carries something, or 416. */
  async get(headers: Readonly<Record<string, string>>): Promise<Dispatcher.ResponseData> {
    let answer: Dispatcher.ResponseData;
    try {
      answer = await this.#connections.get(this.#url, headers, this.#options);
    } catch (error) {
      throw refusalIn(error) ?? this.#named(this.mapError(error));
    }
    const { statusCode } = answer;
    if (statusCode < 300 || statusCode === 416) return answer;
    discardBody(answer.body);
    if (statusCode === 412) throw this.changed();
    if (statusCode === 408 || statusCode === 425 || statusCode === 429 || statusCode >= 500) {
      throw new SourceReadError(`${this.name} can't be read at the moment (the server answered ${statusCode})`);
    }
    const advice =
      statusCode === 401 || statusCode === 403 ? 'its signature may have expired; give a new URL' : 'check the URL';
    throw new SourceMissingError(`${this.name} can't be read: the server answered ${statusCode}; ${advice}`);
  }

  /** What an error of an answer's body means. */
  mapError(error: unknown): unknown {
    if (error instanceof LonghaulError) return error;
    const { name, code, message } = error as Partial<NodeJS.ErrnoException>;
    if (name === 'AbortError') return new AbortedError(`reading ${this.name} was aborted`, { cause: error });
    return new SourceReadError(`${this.name} can't be read at the moment (${code ?? message ?? String(error)})`, {
      cause: error,
    });
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
    if (!(error instanceof SourceMissingError)) return error;
    return new SourceMissingError(`${this.name} can't be read: ${error.message}`, { cause: error });
  }
}

/** By which a change is noticed: an ETag, unless it is a weak one, which stays the same for contents that differ a little. */
export function validatorOf({
  etag,
  'last-modified': lastModified,
}: Dispatcher.ResponseData['headers']): string | undefined {
  const validator = typeof etag === 'string' && !etag.startsWith('W/') ? etag : lastModified;
  return typeof validator === 'string' ? validator : undefined;
}

/** undici wraps what the look-up of a name threw. */
function refusalIn(error: unknown): LonghaulError | undefined {
  for (let cause = error; cause instanceof Error; { cause } = cause)
    if (cause instanceof LonghaulError && !(cause instanceof SourceMissingError)) return cause;
  return undefined;
}
