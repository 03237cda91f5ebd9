import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { mkdtemp, readdir, rmdir, symlink, unlink } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { attempt } from '../../core/objects.ts';
import { errnoCause, errnoOf } from '../../core/text/errno-cause.ts';
import { parseJson } from '../../core/text/parse.ts';
import { ConfigError } from '../../errors.ts';

/** The longest path of a socket on macOS; Linux accepts 107 bytes. Node.js cuts a longer path without an error. */
const MAX_BYTES = 103;
/** Time in which a server accepts a connection while many others connect. */
const BUSY_MS = 60_000;
const POLL_MS = 25;
const MAX_LINE_LENGTH = 64 * 1024;
const NOT_LISTENING = new Set<string | undefined>(['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE']);

export const socketName = (number: number) => `server.${number}.sock`;

/** Returns the numbers of the sockets in the state directory, in ascending order. */
export async function socketNumbers(stateDir: string): Promise<number[]> {
  const names = await readdir(stateDir);
  return names
    .flatMap((name) => /^server\.(\d{1,9})\.sock$/.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b);
}

/**
 * Calls `use` with the path of a socket in the state directory. A path that is too long is replaced by one through a
 * symbolic link, which is needed only to bind or connect the socket.
 *
 * @throws ConfigError if the link cannot be created
 */
export async function withSocketPath<T>(
  stateDir: string,
  number: number,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const name = socketName(number);
  const path = join(stateDir, name);
  if (isShort(path)) return use(path);
  const directory = await temporaryDirectory(stateDir, name);
  const link = join(directory, 's');
  try {
    await symlink(stateDir, link);
    return await use(join(link, name));
  } finally {
    await unlink(link).catch(() => {});
    await rmdir(directory).catch(() => {});
  }
}

/** Creates a directory for a short link: in `/tmp` if the directory of `TMPDIR` has a long path or cannot be used. */
async function temporaryDirectory(stateDir: string, name: string): Promise<string> {
  const places = new Set([tmpdir(), '/tmp']);
  const short = [...places].filter((place) => isShort(join(place, 'longhaul-123456', 's', name)));
  let failure: unknown;
  for (const place of short) {
    try {
      return await mkdtemp(join(place, 'longhaul-'));
    } catch (error) {
      failure = error;
    }
  }
  const code = errnoOf(failure);
  if (code === undefined) throw failure;
  throw new ConfigError(
    `the path of the state directory ${stateDir} is too long for a socket, and a link to it cannot be created in ` +
      `${short.join(' or ')}: ${errnoCause(code)}. Set LONGHAUL_STATE_DIR to a shorter path, or TMPDIR to a directory ` +
      'that this user can write to.',
    { cause: failure },
  );
}

function isShort(path: string): boolean {
  return Buffer.byteLength(path) <= MAX_BYTES;
}

/**
 * Connects to a server. Errors of the connection only close it.
 *
 * @returns undefined if no server listens
 */
export async function connectTo(stateDir: string, number: number): Promise<Socket | undefined> {
  return withSocketPath(stateDir, number, async (path) => {
    for (const deadline = performance.now() + BUSY_MS; ;) {
      const socket = connect(path).on('error', () => {});
      try {
        await once(socket, 'connect');
        return socket;
      } catch (error) {
        if (NOT_LISTENING.has(errnoOf(error))) return undefined;
        // Too many connections wait until the server accepts them.
        if (errnoOf(error) !== 'EAGAIN' || performance.now() > deadline) throw error;
      }
      await delay(POLL_MS);
    }
  });
}

/** One JSON line of the server process. Clients ignore other properties and states. */
export interface ServerMessage {
  readonly state?: 'starting' | 'ready' | 'restarting' | 'failed';
  /** With `ready`: `127.0.0.1:PORT`, for gRPC. */
  readonly address?: string;
  readonly uiUrl?: string;
  /** Process ID of Temporal. */
  readonly pid?: number;
  /** Where the address is valid: the network namespace. Linux only. */
  readonly network?: string;
  /** With `failed`: the cause and the fix. */
  readonly reason?: string;
  /** With `failed`: the version of the Temporal CLI that created the database, which this version cannot read. */
  readonly createdBy?: string;
  /** A line to print. */
  readonly note?: string;
}

/** The only line of a client. */
export interface ClientMessage {
  readonly pid: number;
  /** Time in milliseconds that the server keeps running if this connection is the last. */
  readonly lingerMs: number;
}

export function send(socket: Socket, message: ServerMessage | ClientMessage): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

export function receive<Message>(socket: Socket, handle: (message: Partial<Message>) => void): void {
  let rest = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const message = parseJson(line);
      if (typeof message === 'object' && message !== null) handle(message);
    }
    // The other process is not Longhaul, and would fill the memory.
    if (rest.length > MAX_LINE_LENGTH) socket.destroy();
  });
}

/** Containers that share a state directory do not share 127.0.0.1. */
export function ownNetwork(): string | undefined {
  return attempt(() => readlinkSync('/proc/self/ns/net'));
}
