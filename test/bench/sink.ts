/**
 * A server of its own process that takes uploads as cheaply as Node can: it reads the head of each request, looks for
 * the end of its body and answers. Nothing is kept. Prints its port, and ends with its stdin.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net';

const LAST_CHUNK = Buffer.from('\r\n0\r\n\r\n');
const NOW = Math.floor(Date.now() / 1000);
const FILE = { id: 'file-1', object: 'file', bytes: 1, created_at: NOW, filename: 'content.bin', purpose: 'batch' };
const UPLOAD = { ...FILE, id: 'upload_1', object: 'upload', status: 'pending', expires_at: NOW + 86_400 };

/** The end of the path decides; the first that fits answers. */
const answers: readonly (readonly [string, object])[] = [
  ['/parts', { id: 'part_1', object: 'upload.part', created_at: NOW, upload_id: UPLOAD.id }],
  ['/complete', { ...UPLOAD, status: 'completed', file: FILE }],
  ['/cancel', { ...UPLOAD, status: 'cancelled' }],
  ['/uploads', UPLOAD],
  ['/files', { object: 'list', data: [FILE], has_more: false }],
];
const replies = answers.map(([ending, answer]) => [ending, reply('200 OK', answer)] as const);
const NOT_FOUND = reply('404 Not Found', { error: { message: 'the sink has no such route' } });

function reply(status: string, answer: object): string {
  const body = JSON.stringify(answer);
  return `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

function replyTo(head: string): string {
  const path = head.split(' ', 2)[1]?.split('?', 1)[0] ?? '';
  return replies.find(([ending]) => path.endsWith(ending))?.[1] ?? NOT_FOUND;
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
  let request: { readonly takeBody: TakeBody; readonly answer: string } | undefined;
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    let piece = chunk;
    if (!request) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const text = head.toString('latin1', 0, end);
      request = { takeBody: bodyOf(text), answer: replyTo(text) };
      piece = head.subarray(end + 4);
      head = Buffer.alloc(0);
    }
    if (!request.takeBody(piece)) return;
    socket.write(request.answer);
    request = undefined;
  });
}

const server = createServer(serve).listen(0, '127.0.0.1', () => {
  console.log(String((server.address() as AddressInfo).port));
});
process.stdin.resume().on('end', () => process.exit(0));
