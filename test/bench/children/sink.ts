/**
 * A server in a separate process that receives uploads with minimal CPU time: it reads the head of each request, finds the
 * end of its body and responds. It stores nothing. Prints its port, and exits when its stdin closes.
 *
 *   node sink.js [CERTIFICATE KEY]
 */
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { SinkMoments, SinkStats } from './sink-stats.ts';

const LAST_CHUNK = Buffer.from('\r\n0\r\n\r\n');
const NOW = Math.floor(Date.now() / 1000);
const FILE = {
  id: 'file-1',
  object: 'file',
  // 0 states no size: the sink does not know that of the Upload.
  bytes: 0,
  created_at: NOW,
  filename: 'content.bin',
  purpose: 'assistants',
};
const UPLOAD = { ...FILE, id: 'upload_1', object: 'upload', status: 'pending', expires_at: NOW + 86_400 };

type Route = 'parts' | 'complete' | 'cancel' | 'uploads' | 'files' | 'stats' | 'reset';

const fixed: Readonly<Partial<Record<Route, string>>> = {
  parts: reply('200 OK', { id: 'part_1', object: 'upload.part', created_at: NOW, upload_id: UPLOAD.id }),
  complete: reply('200 OK', { ...UPLOAD, status: 'completed', file: FILE }),
  cancel: reply('200 OK', { ...UPLOAD, status: 'cancelled' }),
  uploads: reply('200 OK', UPLOAD),
  files: reply('200 OK', { object: 'list', data: [FILE], has_more: false }),
};
const NOT_FOUND = reply('404 Not Found', { error: { message: 'the sink has no such route' } });

let requests = 0;
let bodyBytes = 0;
let moments: { -readonly [Name in keyof SinkMoments]: SinkMoments[Name] } = {};

function reply(status: string, answer: object): string {
  const body = JSON.stringify(answer);
  return `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

function answerTo(route: string): string {
  if (route === 'reset') moments = {};
  return route === 'stats' || route === 'reset' ? reply('200 OK', statsNow()) : (fixed[route as Route] ?? NOT_FOUND);
}

function statsNow(): SinkStats {
  const { user, system } = process.cpuUsage();
  return { requests, bodyBytes, cpuSeconds: (user + system) / 1e6, moments };
}

const nowMs = () => performance.timeOrigin + performance.now();

function noteBegin(route: string): void {
  requests++;
  if (route === 'uploads') moments.createdMs ??= nowMs();
  else if (route === 'parts') moments.firstPartBegunMs ??= nowMs();
  else if (route === 'complete') moments.completionAskedMs = nowMs();
}

/** The end of the path decides. */
function routeOf(head: string): string {
  return /^\S+ [^ ?]*\/([^ /?]*)/.exec(head)?.[1] ?? '';
}

/** Takes the body's bytes piece by piece; true at its end. */
type TakeBody = (piece: Buffer) => boolean;

function bodyOf(head: string): TakeBody {
  if (!/^transfer-encoding: *chunked/im.test(head)) {
    let missingBytes = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    return (piece) => (missingBytes -= piece.byteLength) === 0;
  }
  // The official SDK sends chunks. Their lengths are not looked at: the content of the bench doesn't hold such an end.
  let end = Buffer.alloc(0);
  return (piece) => {
    end = Buffer.concat([end, piece.subarray(-LAST_CHUNK.length)]).subarray(-LAST_CHUNK.length);
    return end.equals(LAST_CHUNK);
  };
}

function serve(socket: Socket): void {
  let head = Buffer.alloc(0);
  let request: { readonly takeBody: TakeBody; readonly route: string } | undefined;
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    let piece = chunk;
    if (!request) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const text = head.toString('latin1', 0, end);
      request = { takeBody: bodyOf(text), route: routeOf(text) };
      noteBegin(request.route);
      piece = head.subarray(end + 4);
      head = Buffer.alloc(0);
    }
    bodyBytes += piece.byteLength;
    if (!request.takeBody(piece)) return;
    if (request.route === 'parts') moments.lastPartEndedMs = nowMs();
    socket.write(answerTo(request.route));
    request = undefined;
  });
}

const [certificate, key] = process.argv.slice(2);
const server =
  certificate && key
    ? createTlsServer({ cert: readFileSync(certificate), key: readFileSync(key) }, serve)
    : createServer(serve);
server.listen(0, '127.0.0.1', () => console.log(String((server.address() as AddressInfo).port)));
process.stdin.resume().on('end', () => process.exit(0));
