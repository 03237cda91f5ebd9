import type { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { NetworkHttpsAgent } from '../../network/node-agents.ts';
import { proxyChooser, type ProxyChooser, type ProxyRules } from '../../network/proxy.ts';
import { TlsFiles } from '../../network/tls-files.ts';
import { credentialsProblem } from '../../network/tunnel.ts';
import { discardBody } from '../remote/values.ts';
import type { S3Settings } from '../source-settings.ts';

export interface S3Network {
  /** For the request handler of the SDK. */
  readonly httpsAgent: NetworkHttpsAgent | { readonly maxSockets: number };
  /** Changes a client that was created with it. */
  readonly apply: (client: S3Client) => void;
}

/** Certificates and proxies of an S3 connection. */
export function s3Network(
  settings: S3Settings,
  rules: ProxyRules | undefined,
  limits: { readonly maxSockets: number; readonly connectTimeoutMs: number },
): S3Network {
  const tls = TlsFiles.of(settings);
  const chooseProxy = proxyChooser(settings.proxy, rules);
  const { maxSockets } = limits;
  return {
    httpsAgent: tls || chooseProxy ? new NetworkHttpsAgent({ ...limits, tls, chooseProxy }) : { maxSockets },
    apply: (client) => {
      if (chooseProxy) forwardPlainHttp(client, chooseProxy);
    },
  };
}

interface SentRequest {
  readonly protocol: string;
  hostname: string;
  port?: number;
  path: string;
  headers: Record<string, string>;
}

/** Sends requests for `http:` endpoints to the proxy itself, after they were signed for the endpoint. */
function forwardPlainHttp(client: S3Client, chooseProxy: ProxyChooser): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const request = args.request as SentRequest;
      if (request.protocol !== 'http:') return next(args);
      const { hostname, port } = request;
      const origin = `http://${hostname}${port === undefined ? '' : `:${port}`}`;
      const proxy = chooseProxy(new URL(origin));
      if (!proxy) return next(args);
      const { authorization } = proxy;
      const forwarded = Object.assign(Object.create(Object.getPrototypeOf(request) as object) as SentRequest, request, {
        protocol: proxy.protocol,
        hostname: proxy.host,
        port: proxy.port,
        path: `${origin}${request.path}`,
        headers: {
          host: new URL(origin).host,
          ...request.headers,
          ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }),
        },
      });
      const result = await next({ ...args, request: forwarded });
      const { statusCode, body } = result.response as { readonly statusCode: number; readonly body: Readable };
      if (statusCode !== 407) return result;
      discardBody(body);
      throw credentialsProblem(proxy);
    },
    // The last step, which the SDK's middleware for signing and retrying precedes.
    { step: 'deserialize', name: 'longhaulProxy', priority: 'low' },
  );
}
