import type { IncomingMessage } from 'node:http';
import type { Bandwidth } from './bandwidth.ts';
import { ApiProblem, badRequest } from './errors.ts';
import { parseJson } from '../core/text/parse.ts';

/** A completion of the largest Upload with the smallest sensible parts stays far below. */
const MAX_TEXT_BYTES = 4 * 1024 * 1024;

/**
 * The body's chunks, no faster than the bandwidth allows: while a chunk waits, the socket is not read. Ending the loop
 * early leaves the connection alone, so that an answer can still be sent.
 * @throws the connection's error when it ends before the body does
 */
export async function* bodyChunks(request: IncomingMessage, bandwidth: Bandwidth): AsyncGenerator<Buffer> {
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    await bandwidth.take(chunk.length);
    yield chunk;
  }
}

/** Reads and forgets at least `sizeBytes` of the body, or all of it. */
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
