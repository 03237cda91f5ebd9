import type { Dispatcher } from 'undici';
import { userAgent } from '../../longhaul-version.ts';
import { proxyChooser, type ProxyChooser, type ProxyRules } from '../../network/proxy.ts';
import { TlsFiles } from '../../network/tls-files.ts';
import { credentialsProblem } from '../../network/tunnel.ts';
import { SourceForbiddenError, SourceMissingError, SourceReadError } from '../../errors.ts';
import type { AddressPolicy } from './address-policy.ts';
import { discardBody } from '../remote/values.ts';
import { SourceHeaders, type HostHeaders } from './headers.ts';
import { SourceDefaults, type HttpSettings } from '../source-settings.ts';

const MAX_REDIRECTS = 5;
const CONNECT_TIMEOUT_MS = 10_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface HttpOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whether a command of this user named it, so that no list of hosts must contain it. */
  readonly isNamed: boolean;
}

/** Response to a GET, after its redirects. */
export interface HttpResponse {
  readonly response: Dispatcher.ResponseData;
  /** The fix if the server rejects the request (401, 403) or hides the resource (404). */
  readonly advice: string;
}

/** Connections to HTTP sources, only to addresses that the policy permits. */
export class HttpConnections {
  readonly #policy: AddressPolicy;
  readonly #createAgent: () => Promise<Dispatcher>;
  /** Undefined before the first request. */
  #agent: Promise<Dispatcher> | undefined;
  readonly #chooseProxy: ProxyChooser | undefined;
  readonly #trustsProxy: boolean;
  readonly #headers: SourceHeaders;
  readonly stallTimeoutMs: number;

  constructor(policy: AddressPolicy, settings: HttpSettings = {}, proxies?: ProxyRules) {
    const { stallTimeoutMs = SourceDefaults.stallTimeoutMs, trustProxy = false, proxy } = settings;
    this.#policy = policy;
    this.stallTimeoutMs = stallTimeoutMs;
    this.#chooseProxy = proxyChooser(proxy, proxies);
    this.#trustsProxy = trustProxy;
    this.#headers = new SourceHeaders(settings.headers);
    const tls = TlsFiles.of(settings);
    this.#createAgent = async () => {
      // Loaded late, because most commands need no HTTP source.
      const { createDispatcher } = await import('../../network/proxied-dispatcher.ts');
      return createDispatcher({
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
        connect: { lookup: policy.lookup },
        tls,
        chooseProxy: this.#chooseProxy,
        agent: { headersTimeout: stallTimeoutMs, bodyTimeout: stallTimeoutMs },
      });
    };
  }

  /** @throws SourceForbiddenError */
  assertUrl(url: URL, isNamed: boolean): void {
    this.#policy.assertUrl(url, isNamed);
    if (this.#chooseProxy?.(url) && !this.#trustsProxy && !isNamed) this.#policy.assertListed(url);
  }

  /** Sends a GET and follows redirects. Each redirect is checked like the first URL. */
  async get(
    url: URL,
    headers: Readonly<Record<string, string>>,
    { signal, isNamed }: HttpOptions,
  ): Promise<HttpResponse> {
    this.assertUrl(url, isNamed);
    const configured = this.#headers.of(url, this.#chooseProxy?.(url) !== undefined);
    // Not resent after a redirect to another host, which could otherwise redirect back and receive them.
    let own = configured;
    let target = url;
    for (let hops = 0; ; hops++) {
      this.assertUrl(target, isNamed);
      if (target.origin !== url.origin) own = undefined;
      const answer = await this.#askAs(own, target, headers, signal);
      const proxy = answer.statusCode === 407 ? this.#chooseProxy?.(target) : undefined;
      if (proxy) {
        discardBody(answer.body);
        throw credentialsProblem(proxy);
      }
      const { location } = answer.headers;
      if (!REDIRECTS.has(answer.statusCode) || typeof location !== 'string') {
        return { response: answer, advice: adviceFor(url, target, configured) };
      }
      discardBody(answer.body);
      if (hops === MAX_REDIRECTS) throw new SourceMissingError('more than five redirects. Use the final URL.');
      const next = URL.canParse(location, target.href) ? new URL(location, target.href) : undefined;
      if (!next) throw new SourceMissingError('it redirects to an invalid URL. Use the final URL.');
      // A signed query must be encrypted.
      if (target.protocol === 'https:' && next.protocol === 'http:') {
        throw new SourceForbiddenError('it redirects from https: to http:, which is not encrypted. Use an https: URL.');
      }
      target = next;
    }
  }

  /** One request with the headers of the configuration, and another one if they changed since the server rejected them. */
  async #askAs(
    own: HostHeaders | undefined,
    target: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<Dispatcher.ResponseData> {
    if (!own) return this.#ask(target, headers, signal);
    const configured = await own.read();
    let answer = await this.#ask(target, { ...configured, ...headers }, signal);
    if ((answer.statusCode === 401 || answer.statusCode === 403) && (await own.areRenewed(configured))) {
      discardBody(answer.body);
      answer = await this.#ask(target, { ...(await own.read()), ...headers }, signal);
    }
    return { ...answer, headers: withoutSecrets(answer.headers, own) };
  }

  async #ask(
    { origin, pathname, search }: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<Dispatcher.ResponseData> {
    // undici's timeout restarts with each byte, so that slow headers could take indefinitely.
    const deadline = new AbortController();
    const timeoutMs = CONNECT_TIMEOUT_MS + this.stallTimeoutMs;
    const late = new SourceReadError(`no response within ${timeoutMs} ms`);
    const timer = setTimeout(() => deadline.abort(late), timeoutMs);
    try {
      const agent = await (this.#agent ??= this.#createAgent());
      return await agent.request({
        origin,
        path: `${pathname}${search}`,
        method: 'GET',
        headers: { 'user-agent': userAgent(), accept: '*/*', 'accept-encoding': 'identity', ...headers },
        signal: signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    await (await this.#agent)?.destroy();
  }
}

/** An ETag becomes part of the fingerprint, which Temporal stores. An encoding is part of a message. */
function withoutSecrets(
  { etag, ...headers }: Dispatcher.ResponseData['headers'],
  { redact }: HostHeaders,
): Dispatcher.ResponseData['headers'] {
  const encoding = headers['content-encoding'];
  return {
    ...headers,
    ...(typeof etag === 'string' && redact(etag) === etag ? { etag } : {}),
    ...(typeof encoding === 'string' ? { 'content-encoding': redact(encoding) } : {}),
  };
}

function adviceFor(url: URL, target: URL, configured: HostHeaders | undefined): string {
  const setting = '"sources.http.headers"';
  if (target.origin !== url.origin) {
    const host = `It redirects to ${target.origin}, where the headers of ${url.host} are not sent`;
    return `${host}. Use the URL at ${target.host}, and set ${setting} for that host if it requires a header.`;
  }
  if (configured) return `Correct the header ${configured.names} that ${setting} sets for ${configured.host}.`;
  const host = url.protocol === 'https:' ? url.host : url.origin;
  return `If it requires a header such as Authorization, set ${setting} for ${host}, for the workers too.`;
}
