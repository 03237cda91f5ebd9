import type { Dispatcher } from 'undici';
import { userAgent } from '../longhaul-version.ts';
import { createDispatcher } from '../network/proxied-dispatcher.ts';
import { proxyChooser, type ProxyChooser, type ProxyRules } from '../network/proxy.ts';
import { TlsFiles } from '../network/tls-files.ts';
import { credentialsProblem } from '../network/tunnel.ts';
import { SourceForbiddenError, SourceMissingError, SourceReadError } from '../errors.ts';
import type { AddressPolicy } from './address-policy.ts';
import { discardBody } from './discard-body.ts';
import { SourceDefaults, type HttpSettings } from './source-settings.ts';
import type { OpenOptions } from './source-reader.ts';

const MAX_REDIRECTS = 5;
const CONNECT_TIMEOUT_MS = 10_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Connections to HTTP sources, none of which leads where the policy forbids. */
export class HttpConnections {
  readonly #policy: AddressPolicy;
  readonly #agent: Dispatcher;
  readonly #chooseProxy: ProxyChooser | undefined;
  readonly #trustsProxy: boolean;
  readonly stallTimeoutMs: number;

  constructor(policy: AddressPolicy, settings: HttpSettings = {}, proxies?: ProxyRules) {
    const { stallTimeoutMs = SourceDefaults.stallTimeoutMs, trustProxy = false, proxy } = settings;
    this.#policy = policy;
    this.stallTimeoutMs = stallTimeoutMs;
    this.#chooseProxy = proxyChooser(proxy, proxies);
    this.#trustsProxy = trustProxy;
    this.#agent = createDispatcher({
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      connect: { lookup: policy.lookup },
      tls: TlsFiles.of(settings),
      chooseProxy: this.#chooseProxy,
      agent: { headersTimeout: stallTimeoutMs, bodyTimeout: stallTimeoutMs },
    });
  }

  /** @throws SourceForbiddenError */
  assertUrl(url: URL, isNamed: boolean): void {
    this.#policy.assertUrl(url, isNamed);
    if (this.#chooseProxy?.(url) && !this.#trustsProxy && !isNamed) this.#policy.assertListed(url);
  }

  /** One GET, redirects followed: each of them is checked like the first address. */
  async get(
    url: URL,
    headers: Readonly<Record<string, string>>,
    { signal, isNamed = false }: Pick<OpenOptions, 'signal' | 'isNamed'>,
  ): Promise<Dispatcher.ResponseData> {
    let target = url;
    for (let hops = 0; ; hops++) {
      this.assertUrl(target, isNamed);
      const answer = await this.#ask(target, headers, signal);
      const proxy = answer.statusCode === 407 ? this.#chooseProxy?.(target) : undefined;
      if (proxy) {
        discardBody(answer.body);
        throw credentialsProblem(proxy);
      }
      const { location } = answer.headers;
      if (!REDIRECTS.has(answer.statusCode) || typeof location !== 'string') return answer;
      discardBody(answer.body);
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

  async #ask(
    { origin, pathname, search }: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<Dispatcher.ResponseData> {
    // undici's own limit begins again with each byte, and headers that trickle would take for ever.
    const deadline = new AbortController();
    const timeoutMs = CONNECT_TIMEOUT_MS + this.stallTimeoutMs;
    const late = new SourceReadError(`no answer began within ${timeoutMs} ms`);
    const timer = setTimeout(() => deadline.abort(late), timeoutMs);
    try {
      return await this.#agent.request({
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
    await this.#agent.destroy();
  }
}
