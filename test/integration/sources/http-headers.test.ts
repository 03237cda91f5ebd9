import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { KeyFile } from '../../../src/keys/key-file.ts';
import { FixedKey } from '../../../src/keys/key-provider.ts';
import type { SourceHeaderSettings } from '../../../src/sources/http/headers.ts';
import { Sources } from '../../../src/sources/sources.ts';
import { withHttpOrigin, type HttpOrigin } from '../../support/http-origin.ts';
import { withProxy } from '../../support/proxy-server.ts';
import { withTempDir } from '../../support/temp-dir.ts';

const SECRET = 'canary-of-a-source-4712';
const content = randomBytes(300_000);

interface Server extends HttpOrigin {
  readonly host: string;
  /** Headers of each request so far. */
  readonly seen: readonly IncomingHttpHeaders[];
  /** Where all requests are redirected to, unless it is empty. */
  redirectTo: string;
  /** Status without the required value. */
  rejection: number;
  /** The only value of `Authorization`. */
  required: string | undefined;
}

function withServer<T>(body: (server: Server) => Promise<T>): Promise<T> {
  return withHttpOrigin({ content }, async (origin) => {
    const seen: IncomingHttpHeaders[] = [];
    const server: Server = {
      ...origin,
      host: `127.0.0.1:${origin.port}`,
      seen,
      redirectTo: '',
      rejection: 401,
      required: undefined,
    };
    origin.behaviour.answer = ({ headers, url }, response) => {
      seen.push(headers);
      if (server.redirectTo !== '' && url !== '/here') {
        response.writeHead(302, { location: server.redirectTo }).end();
        return true;
      }
      if (server.required === undefined || headers.authorization === server.required) return false;
      response.writeHead(server.rejection).end(JSON.stringify(headers));
      return true;
    };
    return body(server);
  });
}

async function withSources<T>(
  headers: SourceHeaderSettings,
  body: (sources: Sources) => Promise<T>,
  proxy?: string,
): Promise<T> {
  const sources = new Sources({ http: { allowPrivate: ['127.0.0.1'], headers, proxy } });
  try {
    return await body(sources);
  } finally {
    await sources.close();
  }
}

async function read(sources: Sources, url: string): Promise<Buffer> {
  const span = { offsetBytes: 0, sizeBytes: content.byteLength };
  const reader = await sources.open({ type: 'http', url }, { span });
  try {
    await reader.stat();
    const all = Buffer.alloc(content.byteLength);
    for (let done = 0; done < all.byteLength;) {
      const bytesRead = await reader.read(all.subarray(done), done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return all;
  } finally {
    await reader.close();
  }
}

async function download(sources: Sources, url: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const sink = {
    begin: async () => {},
    write: async (chunk: Uint8Array) => void chunks.push(chunk),
    retrying: () => {},
  };
  await sources.download(new URL(url), sink, { signal: new AbortController().signal });
  return Buffer.concat(chunks);
}

const failure = (call: Promise<unknown>): Promise<Error> =>
  call.then(
    () => expect.unreachable('the call succeeded'),
    (error: Error) => error,
  );

/** No part of an error shows the value. */
function expectNoSecret(error: Error): void {
  const shown = JSON.stringify(error, Object.getOwnPropertyNames(error)) + String(error.stack) + String(error.cause);
  expect(shown).not.toContain(SECRET);
}

const authorization = `Bearer ${SECRET}`;
const secretHeaders = { Authorization: new FixedKey(authorization), 'User-Agent': 'nightly/2' };

describe('an HTTP server that requires a header', () => {
  it('receives the header with each request for a range, the size or the whole file', () =>
    withServer(async (server) => {
      server.required = authorization;
      await withSources({ [server.host]: secretHeaders }, async (sources) => {
        expect((await read(sources, `${server.url}/x?a=1`)).equals(content)).toBe(true);
        expect(server.requests.map(({ range }) => range)).toEqual(['bytes=0-0', `bytes=0-${content.byteLength - 1}`]);
        server.behaviour.ranges = false;
        expect((await download(sources, `${server.url}/x`)).equals(content)).toBe(true);
      });
      expect(server.seen.map((sent) => sent.authorization)).toEqual(Array(3).fill(authorization));
      expect(server.seen.map((sent) => sent['user-agent'])).toEqual(Array(3).fill('nightly/2'));
    }));

  it('receives the header over TLS, and its redirect to plain HTTP is rejected', async () => {
    const fixture = (name: string) => fileURLToPath(new URL(`../../support/tls/${name}`, import.meta.url));
    const [key, cert] = await Promise.all([readFile(fixture('localhost.key')), readFile(fixture('localhost.crt'))]);
    const seen: (string | undefined)[] = [];
    const server = createServer({ key, cert }, ({ headers, url }, response) => {
      seen.push(headers.authorization);
      if (url === '/plain') response.writeHead(302, { location: `http://127.0.0.1:${port}/x` }).end();
      else response.end(content);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const headers = { [`127.0.0.1:${port}`]: secretHeaders };
    const sources = new Sources({ http: { allowPrivate: ['127.0.0.1'], headers, caFile: fixture('localhost.crt') } });
    try {
      expect((await download(sources, `https://127.0.0.1:${port}/x`)).equals(content)).toBe(true);
      const plain = await failure(download(sources, `https://127.0.0.1:${port}/plain`));
      expect(plain.message).toMatch(/redirects from https: to http:/);
      expect(seen).toEqual([authorization, authorization]);
    } finally {
      await sources.close();
      server.closeAllConnections();
      server.close();
    }
  });

  it('does not expose the header to another port or to the target of a redirect', () =>
    withServer((server) =>
      withServer(async (other) => {
        const headers = { [server.host]: secretHeaders, [other.host]: { 'X-Other': new FixedKey('another-secret') } };
        await withSources(headers, async (sources) => {
          server.redirectTo = `${other.url}/here`;
          expect((await read(sources, `${server.url}/x`)).equals(content)).toBe(true);
          expect((await download(sources, `${server.url}/x`)).equals(content)).toBe(true);
          expect(server.seen.map((sent) => sent.authorization)).toEqual(Array(3).fill(authorization));
          expect(other.seen).toHaveLength(3);

          // On the same server it stays. On the way back, another server has chosen the URL.
          server.redirectTo = '/here';
          const before = server.seen.length;
          await download(sources, `${server.url}/x`);
          expect(server.seen.slice(before).map((sent) => sent.authorization)).toEqual([authorization, authorization]);
          server.redirectTo = `${other.url}/back`;
          other.redirectTo = `${server.url}/here`;
          await download(sources, `${server.url}/x`);
          expect(server.seen.at(-1)?.authorization).toBeUndefined();
        });
        const sent = other.seen.flatMap((received) => Object.entries(received).flat());
        expect(sent).not.toContain(authorization);
        expect(sent).not.toContain('another-secret');
        expect(other.seen.map((received) => received['user-agent'])).not.toContain('nightly/2');
      }),
    ));

  it('is reported with the setting and without the value if it rejects a request', () =>
    withServer((server) =>
      withServer(async (other) => {
        server.required = 'Bearer another';
        other.required = 'Bearer another';
        const url = `${server.url}/x.jsonl`;
        const none = await withSources({}, (sources) => failure(read(sources, url)));
        expect(none.message).toBe(
          `cannot read ${url}: the server returned 401. If it requires a header such as Authorization, ` +
            `set "sources.http.headers" for ${server.url}, for the workers too.`,
        );
        const rejected = await withSources({ [server.host]: secretHeaders }, (sources) => failure(read(sources, url)));
        expect(rejected.message).toBe(
          `cannot read ${url}: the server returned 401. Correct the header Authorization, User-Agent ` +
            `that "sources.http.headers" sets for ${server.host}.`,
        );
        expectNoSecret(rejected);
        server.rejection = 404;
        const hidden = await withSources({}, (sources) => failure(read(sources, url)));
        expect(hidden.message).toMatch(
          /returned 404\. Check the URL\. If it requires a header such as Authorization, set /,
        );
        server.redirectTo = `${other.url}/here`;
        const elsewhere = await withSources({ [server.host]: secretHeaders }, (sources) => failure(read(sources, url)));
        expect(elsewhere.message).toBe(
          `cannot read ${url}: the server returned 401. It redirects to ${other.url}, where the headers of ` +
            `${server.host} are not sent. Use the URL at ${other.host}, and set "sources.http.headers" for that host ` +
            'if it requires a header.',
        );
      }),
    ));

  it('cannot cause the value to appear in a message or the fingerprint', () =>
    withServer(async (server) => {
      await withSources({ [server.host]: { 'X-Token': new FixedKey('tok4') } }, async (sources) => {
        server.behaviour.etag = '"tok4"';
        const withoutEtag = await failure(read(sources, `${server.url}/x`));
        expect(withoutEtag.message).toMatch(/neither a strong ETag nor a modification time/);
        server.behaviour.etag = '"v1"';
        const answer = server.behaviour.answer;
        server.behaviour.answer = ({ headers }, response) =>
          Boolean(response.writeHead(206, { 'content-encoding': String(headers['x-token']) }).end());
        const encoded = await failure(read(sources, `${server.url}/x`));
        expect(encoded.message).toMatch(/returned it encoded \(\[redacted\]\)/);
        server.behaviour.answer = answer;
      });
    }));

  it('receives a new value from a file immediately after it rejects the old value', () =>
    withServer((server) =>
      withTempDir(async (directory) => {
        const path = join(directory, 'token');
        await writeFile(path, 'token-number-1');
        const header = { Authorization: new KeyFile(path, path) };
        await withSources({ [server.host]: header }, async (sources) => {
          server.required = 'token-number-1';
          await download(sources, `${server.url}/x`);
          await writeFile(path, 'token-number-2');
          server.required = 'token-number-2';
          expect((await download(sources, `${server.url}/x`)).equals(content)).toBe(true);
          server.required = 'token-number-3';
          const before = server.seen.length;
          await failure(download(sources, `${server.url}/x`));
          expect(server.seen).toHaveLength(before + 1);
        });
      }),
    ));

  it('receives no request if the value is missing or a proxy could read it', () =>
    withServer((server) =>
      withProxy({}, async (proxy) => {
        const missing = { [server.host]: { Authorization: new KeyFile('/no/such/token', 'the file /no/such/token') } };
        const error = await withSources(missing, (sources) => failure(download(sources, `${server.url}/x`)));
        expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
        expect(error.message).toMatch(/^no value for the header "Authorization" .*\/no\/such\/token does not exist\.$/);
        const proxied = await withSources(
          { [server.host]: secretHeaders },
          (sources) => failure(download(sources, `${server.url}/x`)),
          proxy.url,
        );
        expect(proxied.message).toMatch(/is not encrypted, so "sources\.http\.headers" sends no header/);
        expect(server.seen).toEqual([]);
        expect(proxy.requests).toEqual([]);
      }),
    ));
});
