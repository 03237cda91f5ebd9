import type { LookupAddress, LookupOptions } from 'node:dns';
import { Server, type ServerOptions } from 'proxy-chain';

export interface SeenProxyRequest {
  /** `CONNECT` for a tunnel, else the method of the request. */
  readonly method: string;
  /** HOST:PORT */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface ProxyServerOptions {
  /** @defaultValue a proxy that requires none */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** Key and certificate of a proxy that is reached with TLS. */
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer };
}

export interface ProxyServer {
  readonly port: number;
  /** With the credentials. */
  readonly url: string;
  readonly requests: readonly SeenProxyRequest[];
  readonly close: () => Promise<void>;
}

type LookedUp = (error: Error | null, addresses: LookupAddress[] | string, family?: number) => void;

/** Every name leads to this machine: the proxy resolves names that this process cannot. */
const toLoopback = (_name: string, options: LookupOptions, callback: LookedUp) =>
  options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4);

/** Starts a real proxy on loopback, for tunnels and for plain requests. */
export async function startProxy({ credentials, tls }: ProxyServerOptions = {}): Promise<ProxyServer> {
  const requests: SeenProxyRequest[] = [];
  const common: ServerOptions = {
    host: '127.0.0.1',
    port: 0,
    prepareRequestFunction: ({ request, hostname, port, username, password }) => {
      requests.push({ method: request.method ?? '', target: `${hostname}:${port}`, headers: request.headers });
      const isKnown = !credentials || (username === credentials.username && password === credentials.password);
      return { requestAuthentication: !isKnown, dnsLookup: toLoopback as never };
    },
  };
  const server = new Server(tls ? { ...common, serverType: 'https', httpsOptions: tls } : common);
  await server.listen();
  const login = credentials
    ? `${encodeURIComponent(credentials.username)}:${encodeURIComponent(credentials.password)}@`
    : '';
  return {
    port: server.port,
    url: `${tls ? 'https' : 'http'}://${login}127.0.0.1:${server.port}`,
    requests,
    close: () => server.close(true),
  };
}

export async function withProxy<T>(options: ProxyServerOptions, body: (proxy: ProxyServer) => Promise<T>): Promise<T> {
  const proxy = await startProxy(options);
  try {
    return await body(proxy);
  } finally {
    await proxy.close();
  }
}
