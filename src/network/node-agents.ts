import { Agent as HttpsAgent, type AgentOptions } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { hostOfUrl } from './url.ts';
import type { ProxyChooser } from './proxy.ts';
import type { TlsFiles } from './tls-files.ts';
import { openTunnel } from './tunnel.ts';

export interface NodeAgentOptions {
  readonly maxSockets: number;
  readonly connectTimeoutMs: number;
  readonly tls?: TlsFiles | undefined;
  readonly chooseProxy?: ProxyChooser | undefined;
}

type Created = (error: Error | null, socket?: Duplex) => void;

/** An agent of `node:https` with the current certificates, and with a tunnel if a proxy is set. */
export class NetworkHttpsAgent extends HttpsAgent {
  readonly #network: NodeAgentOptions;

  constructor(network: NodeAgentOptions) {
    super({ keepAlive: true, maxSockets: network.maxSockets });
    this.#network = network;
  }

  /** Node's types do not have the callback, which its documentation describes. */
  override createConnection(options: AgentOptions, created: Created): undefined {
    void this.#create(options, created);
  }

  async #create(options: ConnectionOptions, created: Created): Promise<void> {
    let socket: Duplex;
    try {
      socket = await this.#connect(options);
    } catch (error) {
      created(error as Error);
      return;
    }
    created(null, socket);
  }

  async #connect(options: ConnectionOptions): Promise<Duplex> {
    const { tls, chooseProxy, connectTimeoutMs: timeoutMs } = this.#network;
    const { host = '', port = 443 } = options;
    const contexts = await tls?.current();
    const url = new URL(`https://${hostOfUrl(host)}:${port}`);
    const proxy = chooseProxy?.(url);
    const tunnel = proxy && (await openTunnel(proxy, { host, port }, { timeoutMs, secureContext: contexts?.proxy }));
    const socket = connectTls({
      ...options,
      ...(contexts ? { secureContext: contexts.target } : {}),
      ...(tunnel ? { socket: tunnel } : {}),
      servername: options.servername ?? (isIP(host) === 0 ? host : ''),
    });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('secureConnect', () => {
        socket.off('error', reject);
        resolve(socket);
      });
    });
  }
}
