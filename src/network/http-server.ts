import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostOfUrl, withoutBrackets } from './url.ts';

/** Starts to listen, on any free port if it is 0. @returns the URL @throws an error of the system */
export async function listenOn(server: Server, port: number, host: string): Promise<string> {
  await once(server.listen(port, withoutBrackets(host)), 'listening');
  const { address, port: actual } = server.address() as AddressInfo;
  return `http://${hostOfUrl(address)}:${actual}`;
}

/** Stops a server without waiting for its connections. */
export async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Compares secrets in a time that does not depend on their content. */
export function isSameSecret(one: string, other: string): boolean {
  const digestOf = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digestOf(one), digestOf(other));
}
