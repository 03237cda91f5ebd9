import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { cleanListing, errorOf } from './xml.ts';

/** A page of 1,000 keys of 1,024 bytes, each character of which may be written as an entity, and what stands around them. */
const MAX_LIST_BYTES = 16 * 1024 ** 2;
/** Longer errors are no errors of S3: what matters stands at their beginning. */
const MAX_ERROR_BYTES = 16 * 1024;

/** What the SDK and Longhaul read. Any other header may have a form that the SDK rejects the whole answer for. */
const HEADERS = new Set([
  'content-length',
  'content-range',
  'content-type',
  'date',
  'etag',
  'x-amz-archive-status',
  'x-amz-bucket-region',
  'x-amz-id-2',
  'x-amz-request-id',
  'x-amz-restore',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-storage-class',
]);

interface Answer {
  statusCode: number;
  headers: Record<string, string>;
  body?: unknown;
}

/**
 * Puts limits on what a store answers before the SDK reads it: the length of errors and of pages of a listing, the time
 * that they take, and the form of their XML. The bytes of an object are left alone.
 */
export function guardAnswers(client: S3Client, stallTimeoutMs: number): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const result = await next(args);
        const answer = result.response as Answer;
        answer.headers = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => HEADERS.has(name)));
        await limitBody(answer, commandName === 'ListObjectsV2Command', stallTimeoutMs);
        return result;
      },
    // Before the SDK's own, which is of the same step.
    { step: 'deserialize', priority: 'low', name: 'longhaulGuard' },
  );
}

async function limitBody(answer: Answer, isList: boolean, stallTimeoutMs: number): Promise<void> {
  const { body, statusCode } = answer;
  if (!(body instanceof Readable)) return;
  if (statusCode >= 300) {
    const { text } = await readStart(body, MAX_ERROR_BYTES, stallTimeoutMs);
    answer.body = Readable.from([Buffer.from(errorOf(text))]);
  } else if (isList) {
    const { text, isWhole } = await readStart(body, MAX_LIST_BYTES, stallTimeoutMs);
    if (!isWhole) throw new Error(`its list has a page of more than ${MAX_LIST_BYTES} bytes`);
    answer.body = Readable.from([Buffer.from(cleanListing(text))]);
  }
}

/** The text of a body as far as the limit. The time is limited too, as a body that trickles never stalls. */
async function readStart(
  body: Readable,
  maxBytes: number,
  stallTimeoutMs: number,
): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const timer = setTimeout(() => {
    body.destroy(new Error(`the store did not finish its answer within ${stallTimeoutMs} ms`));
  }, stallTimeoutMs);
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      bytes += chunk.byteLength;
      if (bytes > maxBytes) break;
    }
  } finally {
    clearTimeout(timer);
    body.on('error', () => {}).destroy();
  }
  return { text: Buffer.concat(chunks).subarray(0, maxBytes).toString(), isWhole: bytes <= maxBytes };
}
