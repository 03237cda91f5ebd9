import { randomBytes } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import {
  ApiError,
  ConnectionError,
  SourceChangedError,
  StrangeAnswerError,
  TimeoutError,
} from '../../../src/errors.ts';
import type { DestinationProfile } from '../../../src/destinations/profile.ts';
import { createDestination } from '../../../src/destinations/kinds.ts';
import type { Destination } from '../../../src/destinations/port.ts';
import {
  expectedPartBody,
  formatReply,
  withCaptureServer,
  type CaptureServerOptions,
} from '../../support/capture-server.ts';
import { memoryReader } from '../../support/memory-reader.ts';

const MiB = 1024 * 1024;
const KEY = 'sk-canary-0123456789';
const content = randomBytes(16 * MiB);

/** Runs with a client of a server that behaves so. */
async function withClient<T>(
  server: CaptureServerOptions,
  run: (client: Destination, port: number) => Promise<T>,
  profile: Partial<DestinationProfile> = {},
): Promise<T> {
  return withCaptureServer(server, async ({ baseUrl, port }) => {
    const client = createDestination({ name: 'test', baseUrl, apiKey: KEY, ...profile });
    try {
      return await run(client, port);
    } finally {
      await client.close();
    }
  });
}

async function errorOf(promise: Promise<unknown>): Promise<Error> {
  const error = await promise.then(
    () => new Error('nothing was thrown'),
    (thrown: unknown) => thrown as Error,
  );
  expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain(KEY);
  return error;
}

/** Rejects each request after some of its body, and closes the connection with the rest unread. */
const refusingServer = `
  const { createServer } = require('node:net');
  const { parentPort } = require('node:worker_threads');
  const refusal = 'HTTP/1.1 413 Too Large\\r\\nconnection: close\\r\\ncontent-length: 9\\r\\n\\r\\ntoo large';
  const server = createServer((socket) => {
    let receivedBytes = 0;
    socket.on('error', () => {}).on('data', (chunk) => {
      const before = receivedBytes;
      receivedBytes += chunk.length;
      if (before <= 300000 && receivedBytes > 300000) socket.write(refusal, () => socket.resetAndDestroy());
    });
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

const part = { reader: memoryReader(content), partNumber: 1, offsetBytes: 0, sizeBytes: content.byteLength };
const addPart = (client: Destination, options = {}) => errorOf(client.send('upload_1', part, options));

describe('a call that sends a part', () => {
  test.each([
    [401, false],
    [413, false],
    [429, true],
    [503, true],
  ])('reports the status %i that arrives while its body is still being sent', async (status, retryable) => {
    const server: CaptureServerOptions = {
      onHead: (_head, socket) => {
        socket.write(
          formatReply({
            status,
            headers: { connection: 'close', 'retry-after': '7', 'x-request-id': 'req_1' },
            body: { error: { message: 'not like this', type: 'invalid_request_error', param: null, code: 'early' } },
          }),
        );
        return true;
      },
    };
    await withClient(server, async (client) => {
      const error = (await addPart(client)) as ApiError;
      expect(error).toBeInstanceOf(ApiError);
      expect(error.retryable).toBe(retryable);
      expect(error.details).toMatchObject({
        status,
        apiMessage: 'not like this',
        apiType: 'invalid_request_error',
        apiCode: 'early',
        requestId: 'req_1',
        retryAfterMs: 7000,
      });
      expect(error.details.apiParam).toBeUndefined();
    });
  });

  test('reports an early status even if the server then resets the connection', async () => {
    // In a separate thread: the reset must occur during a write.
    const server = new Worker(refusingServer, { eval: true });
    const [port] = (await once(server, 'message')) as [number];
    const client = createDestination({ name: 'test', baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: KEY });
    const errors: Error[] = [];
    for (let attempt = 0; attempt < 30; attempt++) errors.push(await addPart(client));
    expect(errors.map((error) => (error as ApiError).details?.status)).toEqual(Array(30).fill(413));
    expect(errors[0]?.message).toContain('too large');
    await client.close();
    await server.terminate();
  });

  test('reports the status if the response ends after its head', async () => {
    const server: CaptureServerOptions = {
      onHead: (_head, socket) => {
        socket.write('HTTP/1.1 401 Unauthorized\r\ncontent-length: 500\r\n\r\n{"err');
        setImmediate(() => socket.destroy());
        return true;
      },
    };
    await withClient(server, async (client) => {
      const error = (await addPart(client)) as ApiError;
      expect(error).toBeInstanceOf(ApiError);
      expect(error.details.status).toBe(401);
    });
  });

  test('is a StrangeAnswerError if a success arrives before the whole part is sent', async () => {
    const server: CaptureServerOptions = {
      onHead: (_head, socket) => socket.write(formatReply({ body: { id: 'part_1' } })) || true,
    };
    await withClient(server, async (client) => {
      expect(await addPart(client)).toBeInstanceOf(StrangeAnswerError);
    });
  });

  test('is a ConnectionError if the connection is reset halfway', async () => {
    let receivedBytes = 0;
    const server: CaptureServerOptions = {
      onHead: (_head, socket) => {
        socket.on('data', (chunk: Buffer) => {
          receivedBytes += chunk.byteLength;
          if (receivedBytes > MiB) socket.resetAndDestroy();
        });
        return true;
      },
    };
    await withClient(server, async (client, port) => {
      const error = await addPart(client);
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error.message).toMatch(new RegExp(`^127\\.0\\.0\\.1:${port} .*while adding a part to upload_1$`));
      expect(error.cause).toBeInstanceOf(Error);
    });
  });

  test('is a TimeoutError if the server stops reading', async () => {
    const server: CaptureServerOptions = {
      onHead: (_head, socket) => {
        socket.pause();
        return true;
      },
    };
    await withClient(server, async (client) => expect(await addPart(client)).toBeInstanceOf(TimeoutError), {
      stallTimeoutMs: 1000,
    });
  });

  test('is a TimeoutError if the whole part is sent and no response arrives', async () => {
    await withClient(
      { reply: () => undefined },
      async (client) => expect(await addPart(client)).toBeInstanceOf(TimeoutError),
      { stallTimeoutMs: 1000 },
    );
  });

  test('is a TimeoutError if the call exceeds its timeout before it stalls', async () => {
    await withClient({ reply: () => undefined }, async (client) => {
      const error = await addPart(client, { timeoutMs: 200 });
      expect(error).toBeInstanceOf(TimeoutError);
      expect(error.message).toContain('longer than 0.2 s');
    });
  });

  test('is a SourceChangedError if the source is too short, and sends no complete part', async () => {
    await withCaptureServer({}, async (server) => {
      const client = createDestination({ name: 'test', baseUrl: server.baseUrl, apiKey: KEY });
      const error = await errorOf(client.send('upload_1', { ...part, sizeBytes: content.byteLength + 1 }));
      expect(error).toBeInstanceOf(SourceChangedError);
      expect(server.requests).toEqual([]);
      await client.close();
    });
  });

  test('rejects immediately and closes the connection if it is aborted', async () => {
    let onClose = () => {};
    const closed = new Promise<void>((resolve) => (onClose = resolve));
    let onStart = () => {};
    const started = new Promise<void>((resolve) => (onStart = resolve));
    const server: CaptureServerOptions = {
      onHead: (_head, socket) => {
        socket.on('close', () => onClose()).pause();
        onStart();
        // Closing is only seen by a socket that is read.
        closedSoon = () => socket.resume();
        return true;
      },
    };
    let closedSoon = () => {};
    await withClient(server, async (client) => {
      const abort = new AbortController();
      const failed = addPart(client, { signal: abort.signal });
      await started;
      abort.abort(new Error('enough'));
      const error = await failed;
      expect(error).toMatchObject({ code: 'ABORTED', retryable: false });
      expect((error.cause as Error).message).toBe('enough');
      closedSoon();
      await closed;
    });
  });

  test('opens no connection if its signal is already aborted', async () => {
    await withCaptureServer({}, async (server) => {
      const client = createDestination({ name: 'test', baseUrl: server.baseUrl, apiKey: KEY });
      const error = await errorOf(client.send('upload_1', part, { signal: AbortSignal.abort() }));
      expect(error).toMatchObject({ code: 'ABORTED' });
      expect(server.connections).toBe(0);
      await client.close();
    });
  });

  test('rejects if it is aborted while its connection is being opened', async () => {
    // Accepts TCP and never answers the TLS handshake.
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const client = createDestination({ name: 'test', baseUrl: `https://127.0.0.1:${port}/v1`, apiKey: KEY });
    const abort = new AbortController();
    const failed = addPart(client, { signal: abort.signal });
    const [socket] = (await once(server, 'connection')) as [Socket];
    abort.abort();
    expect(await failed).toMatchObject({ code: 'ABORTED' });
    await client.close();
    socket.destroy();
    server.close();
    await once(server, 'close');
  });

  test('does not damage the next part of the same client', async () => {
    let isFirst = true;
    const server: CaptureServerOptions = {
      onHead: (_head, socket) => {
        if (!isFirst) return false;
        isFirst = false;
        socket.resetAndDestroy();
        return true;
      },
    };
    await withCaptureServer(server, async ({ baseUrl, requests }) => {
      const client = createDestination({ name: 'test', baseUrl, apiKey: KEY });
      expect(await addPart(client)).toBeInstanceOf(ConnectionError);
      await client.send('upload_1', part);
      const [request] = requests;
      expect(request?.body.equals(expectedPartBody(request, content))).toBe(true);
      await client.close();
    });
  });
});

describe('a connection that fails', () => {
  test('is a ConnectionError with the reason if no server listens on the port', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    server.close();
    await once(server, 'close');
    const client = createDestination({ name: 'test', baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: KEY });
    const error = await addPart(client);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toContain(`127.0.0.1:${port} refused the connection`);
    await client.close();
  });

  test('is a retryable ConnectionError if a kept-alive connection breaks in a request', async () => {
    let requests = 0;
    const server: CaptureServerOptions = {
      onHead: (_head, socket) => {
        if (++requests === 1) return false;
        socket.destroy();
        return true;
      },
      reply: () => ({ body: { id: 'upload_1' } }),
    };
    await withClient(server, async (client) => {
      await client.cancel('upload_1');
      const error = await errorOf(client.cancel('upload_1'));
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error).toMatchObject({ retryable: true });
    });
  });

  test('is a ConnectionError with the cause if the response is not HTTP or not TLS', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      // An echo, so that the response contains the key.
      socket.on('data', (chunk) => socket.write(chunk));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    for (const [scheme, expected] of [
      ['http', /invalid HTTP response/],
      ['https', /does not use TLS/],
    ] as const) {
      const client = createDestination({ name: 'test', baseUrl: `${scheme}://127.0.0.1:${port}/v1`, apiKey: KEY });
      const error = await errorOf(client.cancel('upload_1'));
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error.message).toMatch(expected);
      await client.close();
    }
    server.close();
    await once(server, 'close');
  });
});
