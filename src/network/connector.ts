import { buildConnector } from 'undici';
import type { ProxyChooser } from './proxy.ts';
import type { TlsContexts, TlsFiles } from './tls-files.ts';
import { openTunnel } from './tunnel.ts';

export type ConnectorOptions = buildConnector.BuildOptions & {
  readonly timeout: number;
  /** @defaultValue Node's certificates */
  readonly tls?: TlsFiles | undefined;
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
  const connect = async (target: buildConnector.Options, callback: buildConnector.Callback): Promise<void> => {
    const contexts = await tls?.current();
    const proxy = chooseProxy?.(new URL(`${target.protocol}//${target.host ?? target.hostname}`));
    const tlsOrPlain = connectorFor(contexts);
    if (!proxy || target.protocol !== 'https:') return tlsOrPlain(target, callback);
    const { timeout: timeoutMs } = options;
    const port = Number(target.port) || 443;
    const end = { host: target.hostname, port };
    const httpSocket = await openTunnel(proxy, end, { timeoutMs, secureContext: contexts?.proxy });
    tlsOrPlain({ ...target, httpSocket }, callback);
  };
  return (target, callback) => {
    connect(target, callback).catch((error: unknown) => callback(error as Error, null));
  };
}
