import type { IncomingMessage } from 'node:http';
import type { Bandwidth } from './bandwidth.ts';
import { ApiProblem, badRequest } from './errors.ts';
import { parseJson } from '../core/text/parse.ts';

/** The completion of the largest Upload with small parts is much smaller. */
const MAX_TEXT_BYTES = 4 * 1024 * 1024;

/**
 * Returns the chunks of the body within the bandwidth: while a chunk waits, the socket is not read. If the loop ends early,
 * the connection stays open, so that a response can still be sent.
 * @throws the error of the connection if it ends before the body
 */
export async function* bodyChunks(request: IncomingMessage, bandwidth: Bandwidth): AsyncGenerator<Buffer> {
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    await bandwidth.take(chunk.length);
    yield chunk;
  }
}

/** Reads and discards at least `sizeBytes` of the body, or all of it. */
export async function discardBody(chunks: AsyncIterable<Buffer>, sizeBytes: number): Promise<void> {
  if (sizeBytes === 0) return;
  let seenBytes = 0;
  for await (const chunk of chunks) {
    seenBytes += chunk.length;
    if (seenBytes >= sizeBytes) return;
  }
}

/** Media type without parameters, in lower case; empty if the header is missing. */
export function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

export async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_TEXT_BYTES) throw new ApiProblem(413, `The body is larger than ${MAX_TEXT_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export async function readJson(request: IncomingMessage): Promise<unknown> {
  if (mediaType(request) !== 'application/json') {
    throw new ApiProblem(415, "The header 'content-type' must be application/json.", {
      code: 'unsupported_media_type',
    });
  }
  const value = parseJson(await readText(request));
  if (value === undefined) throw badRequest('The body is not valid JSON.', undefined, 'invalid_json');
  return value;
}
