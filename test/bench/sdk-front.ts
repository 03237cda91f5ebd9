import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Which request is answered by the front itself, and how. */
export interface FrontRule {
  readonly matches: (path: string) => boolean;
  /** Matching requests that pass first. */
  readonly skip: number;
  readonly answer?: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
  /** Sends the client to another host instead. */
  readonly redirectStatus?: 302 | 307;
}

/** What arrived at the host to which a client was redirected. */
export interface Elsewhere {
  readonly method: string;
  readonly bodyBytes: number;
  readonly hasKey: boolean;
}

export interface Front {
  readonly url: string;
  readonly elsewhere: readonly Elsewhere[];
  close(): Promise<void>;
}

/** An HTTP proxy before the API, which answers one request itself. */
export async function startFront(apiPort: number, rule: FrontRule): Promise<Front> {
  const elsewhere: Elsewhere[] = [];
  let { skip } = rule;
  let isSpent = false;
  const other = createServer((message, response) => {
    void takeNote(message, response, elsewhere);
  });
  const otherPort = await listen(other);
  const front = createServer((message, response) => {
    const { url: path = '', method, headers } = message;
    const strikes = !isSpent && rule.matches(path) && skip-- <= 0;
    if (!strikes) {
      const onward = request({ host: '127.0.0.1', port: apiPort, path, method, headers }, (reply) => {
        response.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(response);
      });
      onward.on('error', () => response.destroy());
      message.pipe(onward);
      return;
    }
    isSpent = true;
    void answer(message, response, rule, `http://127.0.0.1:${otherPort}${path}`);
  });
  const port = await listen(front);
  return {
    url: `http://127.0.0.1:${port}/v1`,
    elsewhere,
    close: async () => {
      for (const server of [front, other]) {
        const closed = once(server, 'close');
        server.close();
        server.closeAllConnections();
        await closed;
      }
    },
  };
}

async function takeNote(message: IncomingMessage, response: ServerResponse, notes: Elsewhere[]): Promise<void> {
  const { method = '', headers } = message;
  notes.push({ method, bodyBytes: await bodyBytes(message), hasKey: headers.authorization !== undefined });
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"part_of_another_host"}');
}

async function answer(
  message: IncomingMessage,
  response: ServerResponse,
  rule: FrontRule,
  location: string,
): Promise<void> {
  await bodyBytes(message);
  if (rule.redirectStatus) response.writeHead(rule.redirectStatus, { location }).end();
  else response.writeHead(rule.answer?.status ?? 200, rule.answer?.headers).end(rule.answer?.body);
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function bodyBytes(message: IncomingMessage): Promise<number> {
  let size = 0;
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) size += chunk.length;
  } catch {
    // The client went away; what came, came.
  }
  return size;
}
