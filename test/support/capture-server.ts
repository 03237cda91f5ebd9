import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

export interface CapturedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Exactly the bytes behind the head. */
  readonly body: Buffer;
  /** Counted from 0 in the order in which connections were made. */
  readonly connection: number;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | object;
}

export interface CaptureServerOptions {
  readonly tls?: TlsOptions;
  /** Answer to a whole request; undefined gives none. @defaultValue `{"id": "part_N"}` */
  readonly reply?: (request: CapturedRequest, socket: Socket) => Reply | undefined;
  /** Called when a head came in; true when it took over, so that the body is not read. */
  readonly onHead?: (head: Omit<CapturedRequest, 'body'>, socket: Socket) => boolean;
  /** Reads a little, then pauses, again and again. */
  readonly isSlow?: boolean;
}

export interface CaptureServer {
  readonly baseUrl: string;
  readonly port: number;
  readonly requests: readonly CapturedRequest[];
  readonly connections: number;
}

/** A raw HTTP/1.1 server on a port that the system picks, which keeps every byte and can misbehave at will. */
export async function withCaptureServer<T>(
  options: CaptureServerOptions,
  run: (server: CaptureServer) => Promise<T>,
): Promise<T> {
  const requests: CapturedRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const onConnection = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    serve(socket, connections++, options, requests);
  };
  const server = options.tls ? createTlsServer(options.tls, onConnection) : createServer(onConnection);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    return await run({
      baseUrl: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}/v1`,
      port,
      requests,
      get connections() {
        return connections;
      },
    });
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  }
}

function serve(
  socket: Socket,
  connection: number,
  { reply = defaultReply, onHead, isSlow }: CaptureServerOptions,
  requests: CapturedRequest[],
): void {
  let received: Buffer[] = [];
  let receivedBytes = 0;
  let head: Omit<CapturedRequest, 'body'> | undefined;
  let isTakenOver = false;
  socket.on('data', (chunk: Buffer) => {
    if (isTakenOver) return;
    received.push(chunk);
    receivedBytes += chunk.byteLength;
    if (isSlow) pauseFor(socket, 1);
    if (!head) {
      const all = Buffer.concat(received);
      const end = all.indexOf('\r\n\r\n');
      if (end < 0) return;
      head = parseHead(all.subarray(0, end).toString('latin1'), connection);
      received = [all.subarray(end + 4)];
      receivedBytes = received[0]?.byteLength ?? 0;
      if (onHead?.(head, socket)) {
        isTakenOver = true;
        return;
      }
    }
    const length = Number(head.headers['content-length'] ?? 0);
    if (receivedBytes < length) return;
    const request = { ...head, body: Buffer.concat(received) };
    head = undefined;
    received = [];
    receivedBytes = 0;
    requests.push(request);
    const answer = reply(request, socket);
    if (answer) socket.write(formatReply(answer));
  });
}

let partCount = 0;

function defaultReply(): Reply {
  return { body: { id: `part_${++partCount}` } };
}

export function formatReply({ status = 200, headers = {}, body = '' }: Reply): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const lines = Object.entries({ 'content-length': String(Buffer.byteLength(text)), ...headers });
  return `HTTP/1.1 ${status} Status\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${text}`;
}

function parseHead(text: string, connection: number): Omit<CapturedRequest, 'body'> {
  const [requestLine = '', ...lines] = text.split('\r\n');
  const [method = '', path = ''] = requestLine.split(' ');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  return { method, path, headers, connection };
}

function pauseFor(socket: Socket, ms: number): void {
  socket.pause();
  setTimeout(() => socket.resume(), ms);
}

/** The bytes that a part's request has to have for that content. */
export function expectedPartBody({ headers }: Pick<CapturedRequest, 'headers'>, content: Uint8Array): Buffer {
  const boundary = /^multipart\/form-data; boundary=(\S+)$/.exec(headers['content-type'] ?? '')?.[1];
  return Buffer.concat([
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="data"; filename="part"\r\n` +
        'Content-Type: application/octet-stream\r\n\r\n',
    ),
    content,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
}
