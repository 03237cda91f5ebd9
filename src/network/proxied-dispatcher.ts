import { isIP } from 'node:net';
import { Agent, Dispatcher, type buildConnector } from 'undici';
import { networkConnector } from './connector.ts';
import { hostOfUrl } from './url.ts';
import type { Proxy, ProxyChooser } from './proxy.ts';
import type { TlsFiles } from './tls-files.ts';
import { proxyError } from './tunnel.ts';

export interface DispatcherOptions {
  readonly connectTimeoutMs: number;
  readonly agent: Omit<Agent.Options, 'connect'>;
  /** More options of direct connections, such as `lookup`. */
  readonly connect?: buildConnector.BuildOptions | undefined;
  readonly tls?: TlsFiles | undefined;
  readonly chooseProxy?: ProxyChooser | undefined;
  /** Changes each connector. @defaultValue no change */
  readonly wrap?: ((connect: buildConnector.connector) => buildConnector.connector) | undefined;
}

/** Connections with the certificates and the proxies of one destination. Without a proxy it is undici's agent and nothing else. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { connectTimeoutMs: timeout, tls, chooseProxy, agent, wrap = (connect) => connect } = options;
  const direct = new Agent({
    ...agent,
    connect: wrap(networkConnector({ ...options.connect, timeout, tls, chooseProxy })),
  });
  if (!chooseProxy) return direct;
  // Names are resolved by the proxy, so the lookup of direct connections does not apply.
  const toProxy = networkConnector({ timeout, tls: tls?.forProxy });
  const forwarding = new Agent({ ...agent, connect: wrap(naming(toProxy)) });
  return new ProxiedDispatcher(direct, forwarding, chooseProxy);
}

/** Names the proxy in the errors of connections to it. */
function naming(connect: buildConnector.connector): buildConnector.connector {
  return (target, callback) =>
    connect(target, (...result) => {
      const [error] = result;
      if (!error) return callback(...result);
      const { hostname, port, protocol } = target;
      const name = `${hostname}:${port || (protocol === 'http:' ? 80 : 443)}`;
      callback(proxyError(error, { name }, 'the server'), null);
    });
}

/** Sends requests for `http:` URLs to the proxy itself, as a proxy rarely permits CONNECT to port 80. */
class ProxiedDispatcher extends Dispatcher {
  readonly #direct: Agent;
  readonly #forwarding: Agent;
  readonly #chooseProxy: ProxyChooser;

  constructor(direct: Agent, forwarding: Agent, chooseProxy: ProxyChooser) {
    super();
    this.#direct = direct;
    this.#forwarding = forwarding;
    this.#chooseProxy = chooseProxy;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const url = new URL(String(options.origin));
    const proxy = url.protocol === 'http:' ? this.#chooseProxy(url) : undefined;
    if (!proxy) return this.#direct.dispatch(options, handler);
    return this.#forwarding.dispatch(forwarded(options, url, proxy), handler);
  }

  override async close(): Promise<void> {
    await Promise.all([this.#direct.close(), this.#forwarding.close()]);
  }

  override async destroy(): Promise<void> {
    await Promise.all([this.#direct.destroy(), this.#forwarding.destroy()]);
  }
}

function forwarded(options: Dispatcher.DispatchOptions, url: URL, proxy: Proxy): Dispatcher.DispatchOptions {
  const { host, port, protocol, authorization } = proxy;
  const to = {
    ...options,
    origin: `${protocol}//${hostOfUrl(host)}:${port}`,
    path: `${url.origin}${options.path}`,
    // Otherwise undici would take the name from the header `host`.
    servername: isIP(host) === 0 ? host : '',
    headers: {
      host: url.host,
      ...namedHeaders(options.headers),
      ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }),
    },
  };
  return to;
}

function namedHeaders(headers: Dispatcher.DispatchOptions['headers']): Record<string, string> {
  if (!Array.isArray(headers)) return { ...(headers as Record<string, string> | undefined) };
  const named: Record<string, string> = {};
  for (let index = 0; index < headers.length; index += 2) named[String(headers[index])] = String(headers[index + 1]);
  return named;
}
