import { once } from 'node:events';
import { lstatSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { attempt } from '../../core/objects.ts';
import { errnoOf } from '../../core/text/errno-cause.ts';
import { receive, type ServerMessage, connectTo, socketName, socketNumbers, withSocketPath } from './socket.ts';

const STATE_TIMEOUT_MS = 1_000;

/** The socket of a server process. A second server exits if it finds this socket or a locked database. */
export interface Claim {
  /** Whether this server must exit: a server with a lower number listens, or the one with a higher number is ready. */
  readonly isLost: () => Promise<boolean>;
  /** Whether the state directory was moved, deleted or replaced: this socket is not in it. */
  readonly isDetached: () => boolean;
  /** Removes the sockets of servers that were killed. Call it while Temporal has the lock of the database. */
  readonly removeStale: () => Promise<void>;
  /** Stops listening and removes the socket. */
  readonly release: () => void;
}

/**
 * Listens on a socket with a new name, the highest number + 1. The name of a killed server cannot be bound again. It is not
 * removed first, because two servers could remove each other's name.
 *
 * @returns undefined if another server listens, or claims the same name
 */
export async function claimSocket(stateDir: string, accept: (socket: Socket) => void): Promise<Claim | undefined> {
  const number = Math.max(0, ...(await socketNumbers(stateDir))) + 1;
  // A client that closes its side waits until Temporal has stopped.
  const server = createServer({ allowHalfOpen: true }, accept);
  if (!(await listen(server, stateDir, number))) return undefined;
  const path = join(stateDir, socketName(number));
  // The number of a file is not used again while its socket is open.
  const fileId = () => lstatSync(path, { throwIfNoEntry: false })?.ino;
  const claimed = fileId();
  const isDetached = () => fileId() !== claimed;
  let isReleased = false;
  const release = () => {
    // Another server can have the same name after this.
    if (isReleased) return;
    isReleased = true;
    // The path can be that of another server.
    if (isDetached()) return;
    server.close();
    // Node.js removes the path that it bound, which can be a deleted link.
    rmSync(path, { force: true });
  };
  const others = async () => (await socketNumbers(stateDir)).filter((other) => other !== number);
  const isLost = async () => {
    for (const other of await others()) {
      const socket = await connectTo(stateDir, other);
      const isOther = socket && (other < number || (await isReady(socket)));
      socket?.destroy();
      if (isOther) return true;
    }
    return false;
  };
  if (await isLost()) {
    release();
    return undefined;
  }
  return {
    isLost,
    isDetached,
    removeStale: async () => {
      for (const other of await others()) {
        const socket = await connectTo(stateDir, other);
        socket?.destroy();
        if (!socket) attempt(() => rmSync(join(stateDir, socketName(other)), { force: true }));
      }
    },
    release,
  };
}

/** A server sends its state first. */
async function isReady(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.setTimeout(STATE_TIMEOUT_MS, () => socket.destroy());
    receive<ServerMessage>(socket, ({ state }) => {
      resolve(state === 'ready' || state === 'restarting');
      socket.destroy();
    });
    socket.once('close', () => resolve(false));
  });
}

async function listen(server: Server, stateDir: string, number: number): Promise<boolean> {
  return withSocketPath(stateDir, number, async (path) => {
    try {
      await once(server.listen(path), 'listening');
      // A connection that cannot be accepted, such as without a free descriptor, is lost. The others stay.
      server.on('error', () => {});
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EADDRINUSE') return false;
      throw error;
    }
  });
}
