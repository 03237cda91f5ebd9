import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { MIN_REUSED_CHUNK_BYTES } from '../../../src/destinations/http/multipart-part.ts';
import type { SourceReader } from '../../../src/sources/source-reader.ts';
import { createDestination } from '../../../src/destinations/kinds.ts';
import type { Destination } from '../../../src/destinations/port.ts';
import { expectedPartBody, withCaptureServer, type CapturedRequest } from '../../support/capture-server.ts';
import { startProxy, type ProxyServer } from '../../support/proxy-server.ts';
import { memoryReader, type MemoryReaderOptions } from '../../support/memory-reader.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

const fixture = (name: string) => readFileSync(new URL(`../../support/tls/${name}`, import.meta.url));
const tls = { key: fixture('localhost.key'), cert: fixture('localhost.crt') };

const clients: Destination[] = [];

/** Undefined for direct connections. */
let proxy: ProxyServer | undefined;

function clientOf({ baseUrl }: { readonly baseUrl: string }, ca?: Buffer): Destination {
  const client = createDestination({
    name: 'test',
    baseUrl,
    apiKey: 'sk-test',
    ca: ca?.toString(),
    proxy: proxy?.url,
  });
  clients.push(client);
  return client;
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

function send(client: Destination, content: Buffer, options: MemoryReaderOptions = {}, signal?: AbortSignal) {
  const reader = memoryReader(content, options);
  return client.send('upload_1', { reader, partNumber: 1, offsetBytes: 0, sizeBytes: content.byteLength }, { signal });
}

function expectExact(request: CapturedRequest | undefined, content: Buffer): void {
  expect(request?.method).toBe('POST');
  expect(request?.path).toBe('/v1/uploads/upload_1/parts');
  const wanted = expectedPartBody(request as CapturedRequest, content);
  expect(Number(request?.headers['content-length'])).toBe(wanted.byteLength);
  // Not toEqual, which would print megabytes.
  expect(request?.body.equals(wanted)).toBe(true);
}

/** Requests arrive in any order, and each part's content starts with its number. */
function numbered(count: number, sizeBytes: (index: number) => number): Buffer[] {
  return Array.from({ length: count }, (_, index) => {
    const content = randomBytes(sizeBytes(index));
    content.writeUInt32BE(index);
    return content;
  });
}

function numberOf({ body }: CapturedRequest): number {
  return body.readUInt32BE(body.indexOf('\r\n\r\n') + 4);
}

describe.each([
  { name: 'HTTP', server: {}, ca: undefined, isProxied: false },
  { name: 'TLS', server: { tls }, ca: tls.cert, isProxied: false },
  { name: 'HTTP through a proxy', server: {}, ca: undefined, isProxied: true },
  { name: 'TLS through a proxy', server: { tls }, ca: tls.cert, isProxied: true },
])('the bytes of parts over $name', ({ server: transport, ca, isProxied }) => {
  beforeAll(async () => {
    if (isProxied) proxy = await startProxy({ credentials: { username: 'longhaul', password: 'p@ss:word' } });
  });

  afterAll(async () => {
    await proxy?.close();
    proxy = undefined;
  });

  test('are exact if the source returns short reads of any length', async () => {
    await withCaptureServer(transport, async (server) => {
      const content = randomBytes(MiB + 12_345);
      let turn = 0;
      await send(clientOf(server, ca), content, { nextReadBytes: () => 1 + ((++turn * 7919) % (40 * KiB)) });
      expectExact(server.requests[0], content);
      expect(proxy?.requests.length).toBe(isProxied ? 1 : undefined);
    });
  });

  test('are exact if concurrent parts share buffers and the server is slow', async () => {
    await withCaptureServer({ ...transport, isSlow: true }, async (server) => {
      const client = clientOf(server, ca);
      const contents = numbered(8, (index) => 2 * MiB + index * 37 * KiB + 11);
      let next = 0;
      let turn = 0;
      const worker = async () => {
        for (let index = next++; index < contents.length; index = next++) {
          await send(client, contents[index] as Buffer, {
            nextReadBytes: () => 1 + ((++turn * 104_729) % (300 * KiB)),
          });
        }
      };
      await Promise.all([worker(), worker(), worker(), worker()]);
      expect(server.requests.length).toBe(contents.length);
      for (const request of server.requests) expectExact(request, contents[numberOf(request)] as Buffer);
    });
  });

  test.skipIf(isProxied)('are exact for a part that is smaller than a socket buffer', async () => {
    await withCaptureServer(transport, async (server) => {
      const client = clientOf(server, ca);
      for (const sizeBytes of [1, 20 * KiB, 64 * KiB, 100 * KiB]) {
        const content = randomBytes(sizeBytes);
        await send(client, content);
        expectExact(server.requests.at(-1), content);
      }
    });
  });

  test.skipIf(isProxied)('stay exact in other parts if a part is aborted while a read fills its buffer', async () => {
    await withCaptureServer({ ...transport, isSlow: true }, async (server) => {
      const client = clientOf(server, ca);
      let endRead = (_bytesRead: number) => {};
      let onBuffer = (_buffer: Uint8Array) => {};
      const pendingBuffer = new Promise<Uint8Array>((resolve) => (onBuffer = resolve));
      const reader: SourceReader = {
        ...memoryReader(Buffer.alloc(0)),
        read: (buffer, offsetBytes) => {
          if (offsetBytes === 0) return Promise.resolve(buffer.byteLength);
          onBuffer(buffer);
          return new Promise((resolve) => (endRead = resolve));
        },
      };
      const abort = new AbortController();
      const aborted = client.send(
        'upload_1',
        { reader, partNumber: 1, offsetBytes: 0, sizeBytes: 8 * MiB },
        { signal: abort.signal },
      );
      const lateBuffer = await pendingBuffer;
      abort.abort(new Error('enough'));
      await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });

      const content = randomBytes(8 * MiB);
      let lateWrites = 0;
      await send(client, content, {
        // Called while one buffer is full and not sent yet, and the other is about to be filled.
        beforeRead: () => {
          lateBuffer.fill(1);
          lateWrites++;
        },
      });
      endRead(lateBuffer.byteLength);
      expect(lateWrites).toBeGreaterThan(2);
      expectExact(server.requests[0], content);
    });
  });

  test('use kept-alive connections for consecutive parts', async () => {
    await withCaptureServer(transport, async (server) => {
      const client = clientOf(server, ca);
      const sizes = [2 * MiB, 700 * KiB, 2 * MiB + 1, 512 * KiB, 100, 64 * KiB, 576 * KiB, 1 * MiB];
      for (const sizeBytes of sizes) await send(client, randomBytes(sizeBytes));
      expect(server.requests.length).toBe(sizes.length);
      // undici does not reuse a connection for one turn of the event loop: a call in this turn takes a second connection.
      expect(server.connections).toBeLessThanOrEqual(2);
    });
  });

  test('use a socket whose high-water mark is at most MIN_REUSED_CHUNK_BYTES', async () => {
    const marks: number[] = [];
    const onHeaders = (message: unknown) => {
      marks.push((message as { readonly socket: Socket }).socket.writableHighWaterMark);
    };
    subscribe('undici:client:sendHeaders', onHeaders);
    try {
      await withCaptureServer(transport, (server) => send(clientOf(server, ca), randomBytes(MiB)));
    } finally {
      unsubscribe('undici:client:sendHeaders', onHeaders);
    }
    expect(marks.length).toBeGreaterThan(0);
    expect(Math.max(...marks)).toBeLessThanOrEqual(MIN_REUSED_CHUNK_BYTES);
  });
});
