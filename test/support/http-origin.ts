import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The content of an HTTP origin, and its faults. Can be changed while it runs. */
export interface OriginBehaviour {
  content: Buffer;
  etag: string | undefined;
  lastModified: string | undefined;
  /** Whether it knows ranges. */
  ranges: boolean;
  /** Whether it looks at `If-Range` and `If-Match`. */
  conditions: boolean;
  /** Answers every request; undefined lets the origin answer. */
  answer: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
}

export interface HttpOrigin {
  readonly port: number;
  readonly url: string;
  readonly behaviour: OriginBehaviour;
  /** Method, path with query, and range of each request so far. */
  readonly requests: readonly { readonly method: string; readonly path: string; readonly range: string | undefined }[];
}

/** Runs `body` with an HTTP server on loopback that has one resource at every path. */
export async function withHttpOrigin<T>(
  changes: Partial<OriginBehaviour>,
  body: (origin: HttpOrigin) => Promise<T>,
): Promise<T> {
  const behaviour: OriginBehaviour = {
    content: Buffer.alloc(0),
    etag: '"v1"',
    lastModified: undefined,
    ranges: true,
    conditions: true,
    answer: undefined,
    ...changes,
  };
  const requests: { method: string; path: string; range: string | undefined }[] = [];
  const server = createServer((request, response) => {
    requests.push({ method: request.method ?? '', path: request.url ?? '', range: request.headers.range });
    if (behaviour.answer?.(request, response)) return;
    give(request, response, behaviour);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    return await body({ port, url: `http://127.0.0.1:${port}`, behaviour, requests });
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}

function give(request: IncomingMessage, response: ServerResponse, behaviour: OriginBehaviour): void {
  const { content, etag, lastModified, conditions } = behaviour;
  const headers = { ...(etag ? { etag } : {}), ...(lastModified ? { 'last-modified': lastModified } : {}) };
  const { range, 'if-range': ifRange, 'if-match': ifMatch } = request.headers;
  if (conditions && ifMatch !== undefined && ifMatch !== etag) {
    response.writeHead(412, headers).end();
    return;
  }
  const wanted = /^bytes=(\d+)-(\d*)$/.exec(range ?? '');
  const isSame = !conditions || ifRange === undefined || ifRange === etag || ifRange === lastModified;
  if (!wanted || !behaviour.ranges || !isSame) {
    response.writeHead(200, { ...headers, 'content-length': content.byteLength }).end(content);
    return;
  }
  const first = Number(wanted[1]);
  const last = Math.min(Number(wanted[2] || Infinity), content.byteLength - 1);
  if (first > last) {
    response.writeHead(416, { 'content-range': `bytes */${content.byteLength}` }).end();
    return;
  }
  const piece = content.subarray(first, last + 1);
  const contentRange = `bytes ${first}-${last}/${content.byteLength}`;
  response.writeHead(206, { ...headers, 'content-range': contentRange, 'content-length': piece.byteLength }).end(piece);
}
