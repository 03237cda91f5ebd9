import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { ConfigError, ConnectionError, TimeoutError } from '../errors.ts';
import { hostOfUrl, withoutBrackets } from './url.ts';
import type { Proxy } from './proxy.ts';

export interface TunnelTarget {
  /** An IPv6 address with or without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface TunnelOptions {
  /** Maximum time until the tunnel is open. */
  readonly timeoutMs: number;
  /** Trusted certificates for an https: proxy. @defaultValue Node's */
  readonly secureContext?: SecureContext | undefined;
}

/**
 * Opens a connection through a proxy with CONNECT. The credentials of the proxy are sent to the proxy only.
 *
 * It is used instead of undici's ProxyAgent because one function then covers undici and the agents of `node:https`.
 * ProxyAgent reports a rejected tunnel only as text, and waits up to five minutes for the proxy's response.
 *
 * @throws ConfigError if the proxy rejects the credentials or the target
 * @throws ConnectionError, TimeoutError if the proxy or the target cannot be reached
 */
export function openTunnel(proxy: Proxy, target: TunnelTarget, options: TunnelOptions): Promise<Socket> {
  const { timeoutMs, secureContext } = options;
  const host = withoutBrackets(target.host);
  const authority = `${hostOfUrl(host)}:${target.port}`;
  const isTls = proxy.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const request = (isTls ? httpsRequest : httpRequest)({
      method: 'CONNECT',
      host: proxy.host,
      port: proxy.port,
      path: authority,
      headers: {
        host: authority,
        ...(proxy.authorization === undefined ? {} : { 'proxy-authorization': proxy.authorization }),
      },
      agent: false,
      ...(isTls && secureContext ? { secureContext } : {}),
      // Node would send an address as the server name, which TLS does not permit.
      ...(isTls && isIP(proxy.host) === 0 ? { servername: proxy.host } : {}),
    });
    const timer = setTimeout(() => {
      const what = `the proxy ${proxy.name} did not open a connection to ${authority} within ${timeoutMs} ms`;
      request.destroy(new TimeoutError(`${what}. Check the proxy.`));
    }, timeoutMs);
    request.once('error', (error) => {
      clearTimeout(timer);
      reject(proxyError(error, proxy, authority));
    });
    request.once('connect', (response: IncomingMessage, socket: Socket, head: Buffer) => {
      clearTimeout(timer);
      // Errors after this belong to the user of the socket, who might not have it yet.
      socket.on('error', () => {});
      const problem = statusProblem(response.statusCode ?? 0, proxy, authority);
      if (problem) {
        socket.destroy();
        reject(problem);
        return;
      }
      if (head.byteLength > 0) socket.unshift(head);
      socket.setNoDelay(true);
      resolve(socket);
    });
    request.end();
  });
}

/** The error for a proxy that cannot be reached. Its cause has no bytes that the proxy sent. */
export function proxyError(error: unknown, { name }: Pick<Proxy, 'name'>, target: string): Error {
  if (error instanceof TimeoutError || error instanceof ConnectionError || error instanceof ConfigError) return error;
  const { code = 'unknown error', message } = error as NodeJS.ErrnoException;
  return new ConnectionError(`cannot connect to ${target} through the proxy ${name} (${code}). ${FIX}.`, {
    cause: Object.assign(new Error(code.startsWith('HPE_') ? code : message), { code }),
  });
}

const FIX = 'Check that the proxy runs, or correct HTTPS_PROXY, HTTP_PROXY, NO_PROXY or "proxy" in the config file';

/** The error for a response of a proxy, as far as the proxy itself rejects a connection. */
export function statusProblem(status: number, { name, authorization }: Proxy, target: string): Error | undefined {
  if (status >= 200 && status < 300) return undefined;
  if (status === 407) return credentialsProblem({ name, authorization });
  if (status >= 400 && status < 500 && ![408, 425, 429].includes(status)) {
    const fix = `Permit ${target} at the proxy, or add the host to NO_PROXY`;
    return new ConfigError(`the proxy ${name} rejected a connection to ${target} (${status}). ${fix}.`);
  }
  return new ConnectionError(`the proxy ${name} returned ${status} for a connection to ${target}. ${FIX}.`);
}

export function credentialsProblem({ name, authorization }: Pick<Proxy, 'name' | 'authorization'>): ConfigError {
  return new ConfigError(
    authorization === undefined
      ? `the proxy ${name} requires a user name and a password (407). Add them to the URL of the proxy.`
      : `the proxy ${name} rejected the user name or the password (407). Correct them in the URL of the proxy.`,
  );
}
