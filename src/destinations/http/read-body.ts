import type { Readable } from 'node:stream';

export interface BodyText {
  readonly text: string;
  /** Whether there was more than the bound. */
  readonly isCut: boolean;
}

/** Reads a response's body up to a bound. What lies beyond is thrown away with its connection. */
export async function readBody(body: Readable, maxBytes: number): Promise<BodyText> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  // Leaving the loop early destroys the body.
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBytes) break;
  }
  const text = Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8');
  return { text, isCut: sizeBytes > maxBytes };
}
