import { Agent, type Dispatcher } from 'undici';
import { SourceForbiddenError, SourceMissingError } from '../errors.ts';
import type { AddressPolicy } from './address-policy.ts';
import { discardBody } from './discard-body.ts';
import type { OpenOptions } from './source-reader.ts';

const MAX_REDIRECTS = 5;
const CONNECT_TIMEOUT_MS = 10_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Connections to HTTP sources, none of which leads where the policy forbids. */
export class HttpConnections {
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

  /** @throws SourceForbiddenError */
  assertUrl(url: URL, isNamed: boolean): void {
    this.#policy.assertUrl(url, isNamed);
  }

  /** One GET, redirects followed: each of them is checked like the first address. */
  async get(
    url: URL,
    headers: Readonly<Record<string, string>>,
    { signal, isNamed = false }: Pick<OpenOptions, 'signal' | 'isNamed'>,
  ): Promise<Dispatcher.ResponseData> {
    let target = url;
    for (let hops = 0; ; hops++) {
      this.#policy.assertUrl(target, isNamed);
      const answer = await this.#agent.request({
        origin: target.origin,
        path: `${target.pathname}${target.search}`,
        method: 'GET',
        headers: { 'user-agent': 'longhaul', accept: '*/*', 'accept-encoding': 'identity', ...headers },
        signal: signal ?? null,
      });
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

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
