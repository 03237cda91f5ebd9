import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import type { ServerPorts } from './state-files.ts';

/**
 * Ports below the ranges that Linux (32768 and higher) and macOS (49152 and higher) use for outgoing connections. Such a
 * connection could use the port when a restarted server needs it again.
 */
const FIRST_PORT = 17_000;
const END_OF_PORTS = 32_000;

async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Whether no process listens on either port. */
export async function arePortsFree({ port, uiPort }: ServerPorts): Promise<boolean> {
  return (await isFree(port)) && (await isFree(uiPort));
}

/** Returns two ports on 127.0.0.1 that are currently free. */
export async function pickFreePorts(): Promise<ServerPorts> {
  for (;;) {
    const port = randomInt(FIRST_PORT, END_OF_PORTS - 1);
    const ports = { port, uiPort: port + 1 };
    if (await arePortsFree(ports)) return ports;
  }
}
