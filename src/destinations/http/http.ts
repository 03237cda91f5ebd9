import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { z } from 'zod';
import { LonghaulError } from '../../errors.ts';
import { userAgent } from '../../longhaul-version.ts';
import { proxyChooser, type Proxy } from '../../network/proxy.ts';
import { createDispatcher } from '../../network/proxied-dispatcher.ts';
import { TlsFiles } from '../../network/tls-files.ts';
import { credentialsProblem } from '../../network/tunnel.ts';
import { apiErrorFromResponse } from './api-error.ts';
import type { AroundCall, HttpCall } from './call.ts';
import { startCallLimits, type CallLimits, type CallOptions, readBody } from './call-limits.ts';
import { projectEndpointHint } from '../azure-address.ts';
import { readingConnector } from './connector.ts';
import type { ResolvedProfile } from '../profile.ts';
import { FixedKey, keyProblem, type KeyProvider } from '../../keys/key-provider.ts';
import { parseAnswer } from './parse-answer.ts';
import { mapTransportError } from './transport-error.ts';
import { SecretTexts } from '../../redact.ts';

type Response = Dispatcher.ResponseData;

const KEEP_ALIVE_MS = 30_000;
const MAX_ANSWER_BYTES = 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;

/** The connections to one destination. It makes one attempt per call: retries live in Temporal, nowhere else. */
export class Http {
  readonly #profile: ResolvedProfile;
  readonly #agent: Dispatcher;
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #keys: KeyProvider;
  /** The keys of calls that failed because of them. */
  readonly #rejectedKeys = new WeakMap<object, string>();
  readonly #secrets: SecretTexts;
  /** Undefined for direct connections. */
  readonly #proxy: Proxy | undefined;
  readonly #around: AroundCall;

  constructor(profile: ResolvedProfile, around: AroundCall = (_, send) => send({})) {
    this.#profile = profile;
    this.#around = around;
    this.#base = new URL(profile.baseUrl);
    const chooseProxy = proxyChooser(profile.proxy);
    this.#proxy = chooseProxy?.(this.#base);
    this.#agent = createDispatcher({
      connectTimeoutMs: profile.connectTimeoutMs,
      wrap: readingConnector,
      tls: TlsFiles.of(profile),
      chooseProxy,
      agent: {
        // One connection for each call at the same time. The caller limits their number. Nothing is sent after a part.
        connections: null,
        pipelining: 1,
        keepAliveTimeout: KEEP_ALIVE_MS,
      },
    });
    this.#headers = { accept: 'application/json', 'user-agent': userAgent(), ...lowerCased(profile.headers) };
    this.#keys = typeof profile.apiKey === 'string' ? new FixedKey(profile.apiKey) : profile.apiKey;
    this.#secrets = new SecretTexts(profile.headers, profile.query, proxySecrets(this.#proxy));
  }

  /** HOST:PORT, for messages. */
  get host(): string {
    return this.#base.port ? this.#base.host : `${this.#base.host}:${this.#base.protocol === 'http:' ? 80 : 443}`;
  }

  get #basePath(): string {
    return this.#base.pathname.replace(/\/+$/, '');
  }

  /**
   * Makes a call, and makes it again if the service rejects the key and there is another key by now. A body that is streamed
   * must be made by each attempt.
   */
  async withKey<T>(attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      const key = this.#rejectedKeys.get(error as object);
      if (key === undefined || (await this.#keys.renewed(key)) === undefined) throw error;
      return attempt();
    }
  }

  /** Sends a request and reads its response, which must be JSON of that schema. */
  json<Schema extends z.ZodType>(call: HttpCall, schema: Schema): Promise<z.output<Schema>> {
    const { action, method, body } = call;
    const facts = { action, method, host: this.host, path: `${this.#basePath}${call.path}` };
    const attempt = () => this.#around(facts, (headers) => this.#json(call, schema, headers));
    return body === undefined || typeof body === 'string' ? this.withKey(attempt) : attempt();
  }

  async #json<Schema extends z.ZodType>(call: HttpCall, schema: Schema, headers: Readonly<Record<string, string>>) {
    const limits = startCallLimits(this.#withTimeout(call), call.action);
    try {
      const response = await this.#send(call, limits, headers);
      const body = await limits.race(readBody(response.body, call.maxAnswerBytes ?? MAX_ANSWER_BYTES));
      const { action, acceptsAnyBody } = call;
      return parseAnswer({ host: this.host, action, status: response.statusCode, acceptsAnyBody }, body, schema);
    } catch (error) {
      throw this.#mapError(call, error);
    } finally {
      limits.release();
    }
  }

  /** Sends a request and returns the body of the response while it arrives. Errors of the stream are typed, too. */
  async stream(call: HttpCall): Promise<{ readonly body: Readable; readonly mapError: (error: unknown) => unknown }> {
    const limits = startCallLimits(call, call.action);
    const mapError = (error: unknown) => this.#mapError(call, error);
    try {
      const { body } = await this.withKey(() => this.#send(call, limits));
      body.once('close', () => limits.release());
      return { body, mapError };
    } catch (error) {
      limits.release();
      throw mapError(error);
    }
  }

  /** Aborts running calls. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #withTimeout(call: HttpCall): CallOptions {
    return { signal: call.signal, timeoutMs: call.timeoutMs ?? this.#profile.requestTimeoutMs };
  }

  /** @throws ApiError for every status but 2xx */
  async #send(call: HttpCall, limits: CallLimits, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    // Checked before anything is sent, so that an aborted call reaches no server.
    limits.signal.throwIfAborted();
    const { method, body, contentType, contentLength, stallTimeoutMs = 0 } = call;
    const held = this.#keys.current();
    const key = typeof held === 'string' ? held : await limits.race(this.#named(held));
    this.#secrets.addKey(key);
    const pending = this.#agent.request({
      origin: this.#base.origin,
      path: this.#pathOf(call),
      method,
      headers: {
        ...this.#headers,
        ...authHeaders(this.#profile, key),
        ...headers,
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
        ...(contentLength === undefined ? {} : { 'content-length': String(contentLength) }),
      },
      // undici accepts any async iterable, but its types have only streams.
      body: (body as Readable | string | undefined) ?? null,
      signal: limits.signal,
      headersTimeout: stallTimeoutMs,
      bodyTimeout: stallTimeoutMs,
    });
    // While undici connects, it ignores the signal. A late response is then discarded.
    pending.then(
      (late) => limits.signal.aborted && late.body.destroy(),
      () => {},
    );
    const response = await limits.race(pending);
    if (response.statusCode >= 200 && response.statusCode < 300) return response;
    const error = await this.#apiError(call, response, limits);
    if (response.statusCode === 401 || response.statusCode === 403) this.#rejectedKeys.set(error, key);
    throw error;
  }

  async #named(key: Promise<string>): Promise<string> {
    try {
      return await key;
    } catch (error) {
      throw keyProblem(this.#profile.name, error);
    }
  }

  /** If the body ends early, the error has only the status. */
  async #apiError({ action }: HttpCall, { statusCode, headers, body }: Response, limits: CallLimits) {
    if (statusCode === 407 && this.#proxy) {
      body.on('error', () => {}).destroy();
      return credentialsProblem(this.#proxy);
    }
    let text = '';
    try {
      ({ text } = await limits.race(readBody(body, MAX_ERROR_BYTES)));
    } catch {
      body.destroy();
    }
    const notFoundHint = projectEndpointHint(this.#base);
    const response = { action, host: this.host, status: statusCode, headers, text, notFoundHint };
    return apiErrorFromResponse(response, this.#secrets.redact);
  }

  #mapError({ action }: HttpCall, error: unknown): unknown {
    return error instanceof LonghaulError ? error : mapTransportError(error, { action, host: this.host });
  }

  #pathOf({ path, query }: HttpCall): string {
    const search = new URLSearchParams(this.#base.search);
    for (const [name, value] of Object.entries({ ...this.#profile.query, ...query })) {
      if (value !== undefined) search.set(name, String(value));
    }
    const text = search.toString();
    return `${this.#basePath}${path}${text ? `?${text}` : ''}`;
  }
}

/** So that an extra header replaces ours instead of being sent in addition to it. */
function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** @param key an API key, or a token such as that of Entra ID */
function authHeaders({ authHeader }: ResolvedProfile, key: string): Record<string, string> {
  return authHeader === 'api-key' ? { 'api-key': key } : { authorization: `Bearer ${key}` };
}

/** Under a name that marks them as secrets. */
function proxySecrets(proxy: Proxy | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries((proxy?.secrets ?? []).map((secret, index) => [`proxy-authorization-${index}`, secret]));
}
