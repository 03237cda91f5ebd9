import type { Readable } from 'node:stream';

/** Lets an answer go whose body nobody wants. */
export function discardBody(body: Readable): void {
  body.on('error', () => {}).destroy();
}
