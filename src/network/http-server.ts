import { createHash, timingSafeEqual } from 'node:crypto';
import type { Server } from 'node:http';

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
