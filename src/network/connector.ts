import { buildConnector } from 'undici';
import type { ProxyChooser } from './proxy.ts';
import type { CurrentTls, TlsContexts } from './tls-files.ts';
import { openTunnel } from './tunnel.ts';

export type ConnectorOptions = buildConnector.BuildOptions & {
  readonly timeout: number;
  /** @defaultValue Node's certificates */
  readonly tls?: CurrentTls | undefined;
  /** Proxy of `https:` targets. @defaultValue direct connections */
  readonly chooseProxy?: ProxyChooser | undefined;
};

/** Connects as undici does, with the current certificates, and through a tunnel if a proxy is set. */
export function networkConnector({ tls, chooseProxy, ...options }: ConnectorOptions): buildConnector.connector {
  const plain = buildConnector(options);
  if (!tls && !chooseProxy) return plain;
  let built: { readonly contexts: TlsContexts; readonly connect: buildConnector.connector } | undefined;
  const connectorFor = (contexts: TlsContexts | undefined): buildConnector.connector => {
    if (!contexts) return plain;
    // TLS sessions belong to a connector: those of old certificates must not be resumed.
    if (built?.contexts !== contexts) {
      built = { contexts, connect: buildConnector({ ...options, secureContext: contexts.target }) };
    }
    return built.connect;
  };
  const prepare = async (target: buildConnector.Options) => {
    const contexts = await tls?.current();
    const connect = connectorFor(contexts);
    const proxy = chooseProxy?.(new URL(`${target.protocol}//${target.host ?? target.hostname}`));
    if (!proxy || target.protocol !== 'https:') return { connect, target };
    const end = { host: target.hostname, port: Number(target.port) || 443 };
    const limits = { timeoutMs: options.timeout, secureContext: contexts?.proxy };
    return { connect, target: { ...target, httpSocket: await openTunnel(proxy, end, limits) } };
  };
  const connect = async (target: buildConnector.Options, callback: buildConnector.Callback): Promise<void> => {
    let prepared: Awaited<ReturnType<typeof prepare>>;
    try {
      prepared = await prepare(target);
    } catch (error) {
      callback(error as Error, null);
      return;
    }
    prepared.connect(prepared.target, callback);
  };
  return (target, callback) => void connect(target, callback);
}
