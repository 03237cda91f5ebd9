import { readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Socket } from 'node:net';

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
  const lines = createInterface({ input: socket });
  lines.on('error', () => {});
  lines.on('line', (line) => {
    const message = parse(line);
    if (message) handle(message);
  });
}

function parse(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Containers that share a state directory do not share 127.0.0.1. */
export function ownNetwork(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/net');
  } catch {
    return undefined;
  }
}
