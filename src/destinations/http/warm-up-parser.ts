import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { Client } from 'undici';

const TIMEOUT_MS = 1000;
/** Long enough that V8 takes the parser for busy, on whichever version of Node. */
const HEADERS = 64;
const ANSWER =
  'HTTP/1.1 204 No Content\r\n' +
  Array.from({ length: HEADERS }, (_, index) => `x-warm-up-${index}: nothing to see here\r\n`).join('') +
  '\r\n';

/**
 * Has undici parse one answer, without any network. Its parser is WebAssembly, which V8 compiles once more as soon as it
 * is used, and that takes 40 MiB for a moment: better at the start than on top of the first parts. Never rejects.
 *
 * @returns whether an answer was parsed
 */
export async function warmUpParser(): Promise<boolean> {
  const client = new Client('http://127.0.0.1', {
    // Not at once: undici is still about to connect when it calls this.
    connect: (_target, callback) => setImmediate(() => callback(null, new AnsweringSocket() as unknown as Socket)),
  });
  const timer = setTimeout(() => void client.destroy(), TIMEOUT_MS);
  try {
    const { statusCode, body } = await client.request({ method: 'GET', path: '/' });
    await body.dump();
    return statusCode === 204;
  } catch {
    // Then the parser is compiled later.
    return false;
  } finally {
    clearTimeout(timer);
    await client.destroy().catch(() => {});
  }
}

/** As much of a socket as undici asks of it. */
class AnsweringSocket extends Duplex {
  override _read(): void {}

  override _write(_chunk: unknown, _encoding: BufferEncoding, callback: () => void): void {
    this.push(ANSWER);
    callback();
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
