import { Buffer } from 'node:buffer';
import { ConfigError, SourceForbiddenError } from '../../errors.ts';
import type { KeyProvider } from '../../keys/key-provider.ts';
import { createRedact, redactorOf, rememberSecrets, type Redact } from '../../redact.ts';

/** Value of a header. A provider returns a secret, which can change. */
export type SourceHeaderValue = string | KeyProvider;

/** Headers by `HOST`, `HOST:PORT` or `http://HOST:PORT`. */
export type SourceHeaderSettings = Readonly<Record<string, Readonly<Record<string, SourceHeaderValue>>>>;

const SETTING = '"sources.http.headers"';

/** Headers that describe the connection, the range or the form of a response. Longhaul sets them, or relies on their absence. */
const RESERVED =
  /^(host|content-.*|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|proxy-.*|range|if-.*|accept-encoding)$/;

/** Maximum number of earlier values to redact, more than a rotated key needs. */
const MAX_VALUES = 16;
const MIN_PIECE_CHARACTERS = 8;

/** Whether a header can have this value: visible ASCII with spaces between. A line break would start another header. */
export function isHeaderValue(text: string): boolean {
  return /^[\x21-\x7e]+(?:[ \t]+[\x21-\x7e]+)*$/.test(text);
}

/** Returns why a name cannot be set; undefined for a name that can. */
export function headerNameProblem(name: string): string | undefined {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return 'is not a valid header name';
  return RESERVED.test(name.toLowerCase()) ? 'is set by Longhaul. Remove it' : undefined;
}

interface Entry {
  readonly headers: HostHeaders;
  /** Whether the setting contains `http://`, so that the operator accepts that others can read the headers. */
  readonly isPermitted: boolean;
}

/** The headers that the configuration sets for hosts of HTTP sources. Each of them is sent to its own origin only. */
export class SourceHeaders {
  readonly #entries = new Map<string, Entry>();

  /** @throws ConfigError that lists every problem. No message contains a value */
  constructor(settings: SourceHeaderSettings = {}) {
    const problems: string[] = [];
    for (const [host, values] of Object.entries(settings)) {
      const origins = originsOf(host);
      if (typeof origins === 'string') problems.push(`${SETTING}: "${host}" ${origins}`);
      else this.#add(host, values, origins, problems);
    }
    if (problems.length > 0) throw new ConfigError(problems.join('; '));
  }

  #add(host: string, values: SourceHeaderSettings[string], origins: readonly string[], problems: string[]): void {
    const names = new Set<string>();
    for (const [name, value] of Object.entries(values)) {
      const isTwice = names.has(name.toLowerCase());
      const ofValue = typeof value === 'string' && !isHeaderValue(value) ? `has ${INVALID_VALUE}` : undefined;
      const problem = headerNameProblem(name) ?? (isTwice ? 'is set twice' : ofValue);
      if (problem !== undefined) problems.push(`${SETTING}: header "${name}" of ${host} ${problem}`);
      names.add(name.toLowerCase());
    }
    if (names.size === 0) problems.push(`${SETTING}: ${host} has no headers`);
    const headers = new HostHeaders(host, values);
    for (const origin of origins) {
      const earlier = this.#entries.get(origin);
      const isPermitted = !origin.startsWith('http:') || host.includes('://');
      // Of "host" and "http://host", the second applies to unencrypted connections.
      if (earlier && earlier.isPermitted === isPermitted) {
        problems.push(`${SETTING}: "${earlier.headers.host}" and "${host}" are the same host`);
      } else if (!earlier || isPermitted) this.#entries.set(origin, { headers, isPermitted });
    }
  }

  /** All hosts, each once. */
  get hosts(): readonly HostHeaders[] {
    return [...new Set([...this.#entries.values()].map(({ headers }) => headers))];
  }

  /** Reads all values. @throws ConfigError if a value is missing */
  load(): void {
    for (const host of this.hosts) host.load();
  }

  /**
   * Returns the headers for a URL; undefined if none are set for its origin.
   *
   * @throws SourceForbiddenError if others could read the headers on the way
   */
  of(url: URL, isProxied: boolean): HostHeaders | undefined {
    const entry = this.#entries.get(url.origin);
    if (!entry || entry.isPermitted || (isLoopback(url.hostname) && !isProxied)) return entry?.headers;
    throw new SourceForbiddenError(
      `${url.origin} is not encrypted, so ${SETTING} sends no header (${entry.headers.names}) to it. ` +
        `Use an https:// URL, or name "${url.origin}" in ${SETTING} to permit it.`,
    );
  }
}

const INVALID_VALUE = 'an empty value, or one with characters that a header cannot contain';

/** The headers of one host. */
export class HostHeaders {
  readonly host: string;
  readonly #values: ReadonlyMap<string, SourceHeaderValue>;
  /** Redacts the values that were sent, also earlier values, because a server can repeat them. */
  readonly #redactors = new Map<string, Redact>();

  /** @param host as in the settings */
  constructor(host: string, values: SourceHeaderSettings[string]) {
    this.host = host;
    this.#values = new Map(Object.entries(values));
  }

  /** For messages. */
  get names(): string {
    return [...this.#values.keys()].join(', ');
  }

  /** Paths of the files that contain values. */
  get files(): readonly string[] {
    return [...this.#values.values()].flatMap((value) => (typeof value === 'string' ? [] : (value.path ?? [])));
  }

  /** @throws ConfigError if a value is missing */
  load(): void {
    for (const [name, value] of this.#values) {
      try {
        if (typeof value !== 'string') value.load?.();
      } catch (error) {
        throw this.#problem(name, error);
      }
    }
  }

  /** Returns the headers by lower-case names. @throws ConfigError if a value is missing */
  async read(): Promise<Record<string, string>> {
    const headers: Record<string, string> = {};
    for (const [name, value] of this.#values) headers[name.toLowerCase()] = await this.#read(name, value);
    return headers;
  }

  /** Whether a value changed since the server rejected these headers. */
  async areRenewed(rejected: Readonly<Record<string, string>>): Promise<boolean> {
    const renewed = [...this.#values].map(async ([name, value]) => {
      const sent = rejected[name.toLowerCase()];
      return typeof value !== 'string' && sent !== undefined && (await value.renewed(sent)) !== undefined;
    });
    return (await Promise.all(renewed)).includes(true);
  }

  readonly redact: Redact = (text) => [...this.#redactors.values()].reduce((shown, redact) => redact(shown), text);

  async #read(name: string, value: SourceHeaderValue): Promise<string> {
    if (typeof value === 'string') {
      if (!this.#redactors.has(value)) this.#redactors.set(value, createRedact('', { [name]: value }));
      return value;
    }
    let current: string;
    try {
      current = await value.current();
      if (!isHeaderValue(current)) throw new ConfigError(`it has ${INVALID_VALUE}`);
    } catch (error) {
      throw this.#problem(name, error);
    }
    if (!this.#redactors.has(current)) {
      const secrets = secretsIn(current);
      rememberSecrets(secrets);
      this.#redactors.set(current, redactorOf(secrets));
      const [oldest = ''] = this.#redactors.keys();
      if (this.#redactors.size > MAX_VALUES + this.#values.size) this.#redactors.delete(oldest);
    }
    return current;
  }

  #problem(name: string, error: unknown): unknown {
    if (!(error instanceof ConfigError)) return error;
    return new ConfigError(`no value for the header "${name}" that ${SETTING} sets for ${this.host}: ${error.message}`);
  }
}

/** A server can repeat the whole value, only the credentials after the scheme, a part of them, or a password in them. */
function secretsIn(value: string): string[] {
  const credentials = value.replace(/^\S+\s+/, '');
  const pieces = value
    .split(/[\s;,]+/)
    .flatMap((piece) => [piece, piece.replace(/^[^=]*="?/, '').replace(/"$/, '')])
    .filter((piece) => piece.length >= MIN_PIECE_CHARACTERS);
  const login = /^basic\s/i.test(value) ? Buffer.from(credentials, 'base64').toString() : '';
  const password = login.slice(login.indexOf(':') + 1);
  return [...new Set([value, credentials, ...pieces, login, password])].filter((secret) => secret !== '');
}

/** Returns the origins of a host in the settings, or the problem. */
function originsOf(host: string): readonly string[] | string {
  if (/[*?[\]{}!]/.test(host.replace(/\[[\da-f:.]+\]/i, ''))) return 'must be one host, not a glob';
  const problem = 'must be a host such as files.example.com, files.example.com:8443 or http://files.internal:8080';
  const [, scheme, authority = ''] = /^(https?:\/\/)?([^/@\s?#\\]+)\/?$/i.exec(host) ?? [];
  const urls = (scheme === undefined ? ['https://', 'http://'] : [scheme]).map((start) => URL.parse(start + authority));
  const origins = urls.flatMap((url) => (url && url.hostname !== '' ? [url.origin] : []));
  return authority === '' || origins.length < urls.length ? problem : origins;
}

function isLoopback(hostname: string): boolean {
  return /^(127(\.\d{1,3}){3}|\[::1\]|localhost)$/.test(hostname);
}
