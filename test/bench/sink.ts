/**
 * A server of its own process that takes parts as cheaply as Node can: it reads the head of each request, looks for the
 * end of its body and answers. Prints its port, and ends with its stdin.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net';

const ANSWER = JSON.stringify({ id: 'part_1', object: 'upload.part', created_at: 1, upload_id: 'upload_1' });
const REPLY = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${ANSWER.length}\r\n\r\n${ANSWER}`;
const LAST_CHUNK = Buffer.from('\r\n0\r\n\r\n');

/** Takes the body's bytes piece by piece; true at its end. */
type TakeBody = (piece: Buffer) => boolean;

function bodyOf(head: string): TakeBody {
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  if (length !== undefined) {
    let missingBytes = Number(length);
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
  let takeBody: TakeBody | undefined;
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    let piece = chunk;
    if (!takeBody) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      takeBody = bodyOf(head.toString('latin1', 0, end));
      piece = head.subarray(end + 4);
      head = Buffer.alloc(0);
    }
    if (!takeBody(piece)) return;
    takeBody = undefined;
    socket.write(REPLY);
  });
}

const server = createServer(serve).listen(0, '127.0.0.1', () => {
  console.log(String((server.address() as AddressInfo).port));
});
process.stdin.resume().on('end', () => process.exit(0));
