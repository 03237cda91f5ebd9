import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';

/** Time in which an answer that lies in the socket already must have been read. */
const READ_TIMEOUT_MS = 1000;

type WriteCallback = (error?: NodeJS.ErrnoException | null) => void;

/**
 * Connects as `connect` does, but lets a broken connection be read to its end before it fails. A server that refuses a
 * part answers early (401, 413, 429) and hangs up; the write that then fails would destroy the socket, and with it the
 * answer that says why.
 */
export function readingConnector(connect: buildConnector.connector): buildConnector.connector {
  return (target, callback) =>
    connect(target, (...result) => {
      if (result[1]) readBeforeFailing(result[1]);
      callback(...result);
    });
}

function readBeforeFailing(socket: Socket): void {
  // `_write` and `_writev` are what Node documents as the place where a stream's writing is implemented.
  /* eslint-disable no-underscore-dangle */
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  socket._write = (chunk, encoding, callback) => write(chunk, encoding, afterReading(socket, callback));
  if (writev) socket._writev = (chunks, callback) => writev(chunks, afterReading(socket, callback));
  /* eslint-enable no-underscore-dangle */
}

/** Holds back the error of a write until undici has read the answer, or the end, and closed the socket. */
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
