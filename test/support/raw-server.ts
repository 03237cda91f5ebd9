import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

export interface RawRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What goes over the wire, to the byte: no library would send most of it. */
export interface RawAnswer {
  readonly head: string;
  readonly body: Uint8Array;
  /** After the body: the connection stays open for the next request, ends, stays silent, or brings more without an end. */
  readonly after: 'next' | 'close' | 'silence' | 'more' | 'trickle';
}

export interface RawServer {
  readonly port: number;
  /** Answers that were sent. */
  readonly answered: () => number;
}

/** Runs `body` with a server on loopback that sends what `answer` returns, over connections that stay open. */
export async function withRawServer<T>(
  answer: (request: RawRequest) => RawAnswer,
  body: (server: RawServer) => Promise<T>,
): Promise<T> {
  const sockets = new Set<Socket>();
  let answered = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    let received = '';
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      // No request has a body.
      for (let end = received.indexOf('\r\n\r\n'); end !== -1; end = received.indexOf('\r\n\r\n')) {
        const request = toRequest(received.slice(0, end));
        received = received.slice(end + 4);
        answered++;
        give(socket, answer(request));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await body({ port: (server.address() as AddressInfo).port, answered: () => answered });
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  }
}

function give(socket: Socket, { head, body, after }: RawAnswer): void {
  socket.write(Buffer.concat([Buffer.from(head, 'utf8'), body]));
  if (after === 'close') socket.end();
  if (after === 'more') flood(socket);
  if (after === 'trickle') trickle(socket);
}

const block = Buffer.alloc(256 * 1024, 'x');

function flood(socket: Socket): void {
  while (socket.writable && socket.write(block));
  if (socket.writable) socket.once('drain', () => flood(socket));
}

function trickle(socket: Socket): void {
  const timer = setInterval(() => socket.write('x'), 50);
  socket.on('close', () => clearInterval(timer));
}

function toRequest(text: string): RawRequest {
  const [start = '', ...lines] = text.split('\r\n');
  const [method = '', path = ''] = start.split(' ');
  const headers = lines.map((line) => [
    line.slice(0, line.indexOf(':')).toLowerCase(),
    line.slice(line.indexOf(':') + 1).trim(),
  ]);
  return { method, path, headers: Object.fromEntries(headers) as Record<string, string> };
}
