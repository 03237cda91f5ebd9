import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { Client } from 'undici';

const TIMEOUT_MS = 1000;
/** Enough that V8 optimises the parser, on any version of Node.js. */
const HEADERS = 64;
const ANSWER =
  'HTTP/1.1 204 No Content\r\n' +
  Array.from({ length: HEADERS }, (_, index) => `x-warm-up-${index}: nothing to see here\r\n`).join('') +
  '\r\n';

/**
 * Lets undici parse one response, without a network. Its parser is WebAssembly, which V8 compiles again when it is used.
 * This uses 40 MiB for a moment, at the start instead of during the first parts. The command prevents it for its own process
 * (`main.ts`), which a worker in another program cannot. Never rejects.
 *
 * @returns whether a response was parsed
 */
export async function warmUpParser(): Promise<boolean> {
  const client = new Client('http://127.0.0.1', {
    // Later: undici has not finished its own part of connecting when it calls this.
    connect: (_target, callback) => setImmediate(() => callback(null, new AnsweringSocket() as unknown as Socket)),
  });
  const timer = setTimeout(() => void client.destroy(), TIMEOUT_MS);
  try {
    const { statusCode, body } = await client.request({ method: 'GET', path: '/' });
    await body.dump();
    return statusCode === 204;
  } catch {
    // The parser is then compiled later.
    return false;
  } finally {
    clearTimeout(timer);
    await client.destroy().catch(() => {});
  }
}

/** The part of a socket that undici uses. */
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
