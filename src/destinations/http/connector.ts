import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';

/** Time in which a response that the socket has received must be read. */
const READ_TIMEOUT_MS = 1000;

type WriteCallback = (error?: NodeJS.ErrnoException | null) => void;

/**
 * Connects as `connect` does, but lets a broken connection be read to its end before it fails. A server that rejects a
 * part responds early (401, 413, 429) and closes the connection. The write that then fails would destroy the socket, and
 * with it the response that contains the reason.
 */
export function readingConnector(connect: buildConnector.connector): buildConnector.connector {
  return (target, callback) =>
    connect(target, (...result) => {
      if (result[1]) readBeforeFailing(result[1]);
      callback(...result);
    });
}

function readBeforeFailing(socket: Socket): void {
  // Node.js documents `_write` and `_writev` as the methods that implement the writing of a stream.
  /* eslint-disable no-underscore-dangle */
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  socket._write = (chunk, encoding, callback) => write(chunk, encoding, afterReading(socket, callback));
  if (writev) socket._writev = (chunks, callback) => writev(chunks, afterReading(socket, callback));
  /* eslint-enable no-underscore-dangle */
}

/** Delays the error of a write until undici has read the response, or the end, and closed the socket. */
function afterReading(socket: Socket, callback: WriteCallback): WriteCallback {
  return (error) => {
    const code = error?.code;
    if (socket.destroyed || (code !== 'ECONNRESET' && code !== 'EPIPE')) {
      callback(error);
      return;
    }
    const fail = () => {
      clearTimeout(timer);
      socket.off('close', fail);
      callback(error);
    };
    const timer = setTimeout(fail, READ_TIMEOUT_MS);
    socket.once('close', fail);
  };
}
