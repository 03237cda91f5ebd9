import { createServer, request } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { apiKey } from '../../../src/destinations/auth.ts';
import { openAiLimits } from '../../../src/contracts/limits.ts';
import { createDestination } from '../../../src/destinations/kinds.ts';
import { OpenAiDestination } from '../../../src/destinations/openai.ts';
import { describeDestination } from '../../support/destination-conformance.ts';
import { withLocalApi } from '../local-api/with-local-api.ts';

const KEY = 'sk-right-0123456789';

describeDestination('openai', (body) =>
  withLocalApi({ apiKey: KEY }, ({ api }) =>
    body({
      key: KEY,
      connect: (options, key = KEY) => createDestination({ name: 'test', baseUrl: api.url, apiKey: key }, options),
      stop: () => api.close(),
    }),
  ),
);

/** A kind with the routes of OpenAI, and another header for keys, query, and lifetime of sessions: that of Azure. */
describeDestination('with the header, the query and the limits of Azure', (body) =>
  withLocalApi({ apiKey: KEY, sessionLifeSeconds: 7200 }, async ({ api }) => {
    const front = await startFront(api.url);
    const limits = () => ({ ...openAiLimits, maxFileBytes: 9e9, sessionSeconds: 7200 });
    try {
      await body({
        key: KEY,
        connect: (options, key = KEY) => {
          const query = { 'api-version': '2025-04-01-preview' };
          const profile = { name: 'test', baseUrl: `${front.url}/openai`, apiKey: key, query };
          return new OpenAiDestination(profile, { ...options, auth: apiKey, limits });
        },
        stop: front.stop,
      });
    } finally {
      await front.stop();
    }
  }),
);

/** Requires `api-key` and `api-version`, and forwards to the local API. */
async function startFront(apiUrl: string) {
  const server = createServer((incoming, response) => {
    const { pathname, searchParams } = new URL(incoming.url ?? '', 'http://front');
    const { 'api-key': key = '', authorization, ...headers } = incoming.headers;
    if (authorization !== undefined || !searchParams.has('api-version') || !pathname.startsWith('/openai/')) {
      response.writeHead(400).end('{"error":{"message":"not a request to Azure"}}');
      return;
    }
    searchParams.delete('api-version');
    const target = new URL(`${apiUrl}${pathname.slice('/openai'.length)}?${searchParams.toString()}`);
    const { method } = incoming;
    const forwarded = request(
      target,
      { method, headers: { ...headers, authorization: `Bearer ${String(key)}` } },
      (reply) => {
        response.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(response);
      },
    );
    forwarded.on('error', () => response.destroy());
    response.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, stop };
}
