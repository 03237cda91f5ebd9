import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Source } from '../../../src/contracts/sources.ts';
import type { DestinationProfile } from '../../../src/destinations/profile.ts';
import { createDestination } from '../../../src/destinations/kinds.ts';
import type { Destination } from '../../../src/destinations/port.ts';
import { serviceTime } from '../../../src/destinations/service-time.ts';
import type { SourceSettings } from '../../../src/sources/source-settings.ts';
import { Sources } from '../../../src/sources/sources.ts';
import { withCaptureServer, type CaptureServer } from '../../support/capture-server.ts';
import { withHttpOrigin } from '../../support/http-origin.ts';
import { memoryReader } from '../../support/memory-reader.ts';
import { withProxy, type ProxyServer } from '../../support/proxy-server.ts';

const fixture = (name: string) => readFileSync(new URL(`../../support/tls/${name}`, import.meta.url));
const tls = { key: fixture('localhost.key'), cert: fixture('localhost.crt') };
const ca = tls.cert.toString();
const credentials = { username: 'longhaul', password: 'canary-pass@word' };
const basic = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');

async function withClient<T>(
  profile: Partial<DestinationProfile> & { readonly baseUrl: string },
  body: (client: Destination) => Promise<T>,
): Promise<T> {
  const client = createDestination({ name: 'test', apiKey: 'sk-test', ...profile });
  try {
    return await body(client);
  } finally {
    await client.close();
  }
}

const content = randomBytes(300_000);
const addPart = (client: Destination) =>
  client.send('upload_1', {
    reader: memoryReader(content),
    partNumber: 1,
    offsetBytes: 0,
    sizeBytes: content.byteLength,
  });

/** A port on which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Nothing of the proxy's credentials is in what a user or a log can see. */
function expectNoCredentials(error: unknown): void {
  const shown = JSON.stringify(error, Object.getOwnPropertyNames(error)) + String((error as Error).stack);
  expect(shown).not.toMatch(/canary/);
  expect(shown).not.toContain(basic);
}

const failure = (call: Promise<unknown>) =>
  call.then(
    () => expect.unreachable('the call succeeded'),
    (error: unknown) => error as Error & { code: string },
  );

describe.each([
  { name: 'HTTP', server: {}, method: 'POST' },
  { name: 'TLS', server: { tls }, method: 'CONNECT' },
])('a destination with $name behind a proxy', ({ server: transport, method }) => {
  const both = (options: Parameters<typeof withProxy>[0], body: (s: CaptureServer, p: ProxyServer) => Promise<void>) =>
    withCaptureServer(transport, (server) => withProxy(options, (proxy) => body(server, proxy)));

  it('receives the calls through the proxy, without the credentials of the proxy', () =>
    both({ credentials }, async ({ baseUrl, requests, port }, proxy) => {
      await withClient({ baseUrl, ca, proxy: proxy.url }, addPart);
      expect(requests.length).toBe(1);
      expect(requests[0]?.headers).toMatchObject({ authorization: 'Bearer sk-test', host: `127.0.0.1:${port}` });
      expect(requests[0]?.headers).not.toHaveProperty('proxy-authorization');
      expect(proxy.requests.at(-1)).toMatchObject({ method, target: `127.0.0.1:${port}` });
      expect(proxy.requests.at(-1)?.headers['proxy-authorization']).toBe(`Basic ${basic}`);
    }));

  it('is not called if the proxy rejects the credentials', () =>
    both({ credentials }, async ({ baseUrl, requests }, proxy) => {
      const url = `http://longhaul:canary-other@127.0.0.1:${proxy.port}`;
      const error = await withClient({ baseUrl, ca, proxy: url }, (client) => failure(addPart(client)));
      expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
      expect(error.message).toBe(
        `the proxy 127.0.0.1:${proxy.port} rejected the user name or the password (407). Correct them in the URL of the proxy.`,
      );
      expectNoCredentials(error);
      const without = { baseUrl, ca, proxy: `http://127.0.0.1:${proxy.port}` };
      const anonymous = await withClient(without, (client) => failure(client.files.list()));
      expect(anonymous.message).toContain('requires a user name and a password (407)');
      expect(requests).toEqual([]);
    }));

  it('is not called directly if the proxy is down', () =>
    withCaptureServer(transport, async ({ baseUrl, requests }) => {
      const port = await closedPort();
      const proxy = `http://longhaul:canary@127.0.0.1:${port}`;
      for (const call of [addPart, (client: Destination) => client.files.list()]) {
        const error = await withClient({ baseUrl, ca, proxy }, (client) => failure(call(client)));
        expect(error).toMatchObject({ code: 'CONNECTION_FAILED' });
        expect(error.message).toContain(`through the proxy 127.0.0.1:${port} (ECONNREFUSED)`);
        expectNoCredentials(error);
      }
      await expect(serviceTime({ baseUrl, ca, proxy }, AbortSignal.timeout(5000))).rejects.toMatchObject({
        code: 'CONNECTION_FAILED',
      });
      expect(requests).toEqual([]);
    }));

  it('is reached through a proxy with TLS', () =>
    both({ credentials, tls }, async ({ baseUrl, requests }, proxy) => {
      await withClient({ baseUrl, ca, proxy: proxy.url }, addPart);
      expect(requests.length).toBe(1);
      expect(proxy.requests.length).toBe(1);
      const untrusted = await withClient({ baseUrl, proxy: proxy.url }, (client) => failure(client.files.list()));
      expect(untrusted).toMatchObject({ code: 'CONNECTION_FAILED' });
      expect(requests.length).toBe(1);
    }));
});

it('a destination client fails with a timeout if the proxy does not respond', async () => {
  const silent: Server = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  try {
    const { port } = silent.address() as AddressInfo;
    const profile = { baseUrl: 'https://service.example/v1', proxy: `http://127.0.0.1:${port}`, connectTimeoutMs: 200 };
    const error = await withClient(profile, (client) => failure(client.files.list()));
    expect(error).toMatchObject({ code: 'TIMED_OUT' });
    expect(error.message).toContain('did not open a connection to service.example:443 within 200 ms');
  } finally {
    silent.close();
  }
});

it('a destination client fails with the reason if the proxy rejects the destination', async () => {
  const rejecting = createHttpServer().on('connect', (_, socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'));
  rejecting.listen(0, '127.0.0.1');
  await once(rejecting, 'listening');
  try {
    const { port } = rejecting.address() as AddressInfo;
    const profile = { baseUrl: 'https://service.example/v1', proxy: `http://127.0.0.1:${port}` };
    const error = await withClient(profile, (client) => failure(client.files.list()));
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(error.message).toMatch(/rejected a connection to service\.example:443 \(403\)/);
  } finally {
    rejecting.close();
  }
});

async function readAll(settings: SourceSettings, source: Source): Promise<Buffer> {
  const sources = new Sources(settings);
  try {
    const reader = await sources.open(source);
    try {
      const { sizeBytes } = await reader.stat();
      const buffer = Buffer.alloc(sizeBytes);
      for (let done = 0; done < sizeBytes;) done += await reader.read(buffer.subarray(done), done);
      return buffer;
    } finally {
      await reader.close();
    }
  } finally {
    await sources.close();
  }
}

describe('an HTTP source behind a proxy', () => {
  const source = (port: number, host = 'files.example'): Source => ({ type: 'http', url: `http://${host}:${port}/a` });

  it('is read by a host name that only the proxy resolves, if the host is listed', () =>
    withHttpOrigin({ content }, ({ port }) =>
      withProxy({ credentials }, async (proxy) => {
        const proxies = { http: proxy.url };
        for (const http of [{ hosts: ['*.example'] }, { trustProxy: true }, { allowPrivate: ['files.example'] }]) {
          expect((await readAll({ proxies, http }, source(port))).equals(content)).toBe(true);
        }
        const error = await failure(readAll({ proxies }, source(port)));
        expect(error).toMatchObject({ code: 'SOURCE_FORBIDDEN' });
        expect(error.message).toContain('List it under "sources.http.hosts"');
      }),
    ));

  it('is rejected if its address or a redirect is not permitted', () =>
    withHttpOrigin(
      {
        answer: (_, response) => {
          response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end();
          return true;
        },
      },
      ({ port }) =>
        withProxy({}, async (proxy) => {
          const settings = { proxies: { http: proxy.url }, http: { trustProxy: true } };
          await expect(readAll(settings, source(port, '127.0.0.1'))).rejects.toMatchObject({
            code: 'SOURCE_FORBIDDEN',
          });
          expect(proxy.requests).toEqual([]);
          await expect(readAll(settings, source(port))).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
          expect(proxy.requests.length).toBe(1);
        }),
    ));

  it('is downloaded through the proxy, or read directly if NO_PROXY contains it', () =>
    withHttpOrigin({ content }, ({ port }) =>
      withProxy({}, async (proxy) => {
        const http = { hosts: ['files.example', '127.0.0.1'], allowPrivate: ['127.0.0.1'] };
        const sources = new Sources({ http, proxies: { http: proxy.url, noProxy: '127.0.0.0/8' } });
        const chunks: Uint8Array[] = [];
        const sink = {
          begin: async () => {},
          write: async (chunk: Uint8Array) => void chunks.push(Buffer.from(chunk)),
          retrying: () => {},
        };
        const signal = AbortSignal.timeout(10_000);
        await sources.download(new URL(`http://files.example:${port}/a`), sink, { signal });
        expect(Buffer.concat(chunks).equals(content)).toBe(true);
        expect(proxy.requests.length).toBe(1);
        await (await sources.open(source(port, '127.0.0.1'))).stat();
        expect(proxy.requests.length).toBe(1);
        await sources.close();
      }),
    ));

  it('fails if the proxy is down or rejects the credentials', () =>
    withHttpOrigin({ content }, ({ port, requests }) =>
      withProxy({ credentials }, async (proxy) => {
        const http = { hosts: ['files.example'] };
        const down = { http, proxies: { http: `http://127.0.0.1:${await closedPort()}` } };
        await expect(readAll(down, source(port))).rejects.toMatchObject({ code: 'SOURCE_READ_FAILED' });
        const rejected = { http, proxies: { http: `http://a:canary@127.0.0.1:${proxy.port}` } };
        const error = await failure(readAll(rejected, source(port)));
        expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
        expectNoCredentials(error);
        expect(requests).toEqual([]);
      }),
    ));
});

describe.each(['http', 'https'] as const)('an S3 store over %s behind a proxy', (scheme) => {
  const withStore = async (body: (endpoint: string, seen: string[]) => Promise<void>) => {
    const seen: string[] = [];
    const server = (scheme === 'http' ? createHttpServer() : createHttpsServer(tls)).on(
      'request',
      (request, response) => {
        seen.push(`${request.method} ${request.url} ${request.headers.host} ${request.headers['proxy-authorization']}`);
        const [, first, last] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
        const part = first === undefined ? content : content.subarray(Number(first), Number(last) + 1);
        const range = `bytes ${first}-${last}/${content.byteLength}`;
        response.writeHead(first === undefined ? 200 : 206, {
          etag: '"v1"',
          'content-length': part.byteLength,
          ...(first === undefined ? {} : { 'content-range': range }),
        });
        response.end(request.method === 'HEAD' ? undefined : part);
      },
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      await body(`${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`, seen);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  };
  const source: Source = { type: 's3', bucket: 'training', key: 'a b/train.jsonl' };
  const keys = { accessKeyId: 'a', secretAccessKey: 'b' };
  const connection = (endpoint: string, more: object) => ({
    s3: { default: { endpoint, region: 'us-east-1', credentials: keys, ca, ...more } },
  });

  it('is read through the proxy of the environment or of the connection', () =>
    withStore((endpoint, seen) =>
      withProxy({ credentials }, async (proxy) => {
        const target = new URL(endpoint).host;
        const environment = { ...connection(endpoint, {}), proxies: { [scheme]: proxy.url } };
        for (const settings of [environment, connection(endpoint, { proxy: proxy.url })]) {
          const before = proxy.requests.length;
          expect((await readAll(settings, source)).equals(content)).toBe(true);
          expect(proxy.requests.length).toBeGreaterThan(before);
          expect(proxy.requests.at(-1)).toMatchObject({ target });
        }
        expect(seen.at(-1)).toBe(`GET /training/a%20b/train.jsonl?x-id=GetObject ${target} undefined`);
        const direct = { ...environment, ...connection(endpoint, { proxy: 'none' }) };
        const before = proxy.requests.length;
        await readAll(direct, source);
        expect(proxy.requests.length).toBe(before);
      }),
    ));

  it('is not read directly if the proxy is down or rejects the credentials', () =>
    withStore((endpoint, seen) =>
      withProxy({ credentials }, async (proxy) => {
        const down = connection(endpoint, { proxy: `http://a:canary@127.0.0.1:${await closedPort()}` });
        const noConnection = await failure(readAll(down, source));
        expect(noConnection).toMatchObject({ code: 'SOURCE_READ_FAILED' });
        expectNoCredentials(noConnection);
        const rejected = connection(endpoint, { proxy: `http://a:canary@127.0.0.1:${proxy.port}` });
        const error = await failure(readAll(rejected, source));
        expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
        expect(error.message).toContain('407');
        expectNoCredentials(error);
        expect(seen).toEqual([]);
      }),
    ));
});
