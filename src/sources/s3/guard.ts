import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { discardBody } from '../remote/values.ts';
import { cleanListing, errorOf } from './xml.ts';

/** A page of 1,000 keys of 1,024 bytes, if each character is written as an entity, and the XML around them. */
const MAX_LIST_BYTES = 16 * 1024 ** 2;
/** S3's errors are shorter. The relevant text of a longer error is at its start. */
const MAX_ERROR_BYTES = 16 * 1024;

/** Headers that the SDK and Longhaul read. Any other header can have a form for which the SDK rejects the response. */
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
 * Limits the responses of a store before the SDK reads them: the length of errors and of pages of a listing, their
 * duration, and the form of their XML. The bytes of an object are not changed.
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
    // Before that of the SDK, which has the same step.
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
    if (!isWhole) throw new Error(`a page of its list has more than ${MAX_LIST_BYTES} bytes`);
    answer.body = Readable.from([Buffer.from(cleanListing(text))]);
  }
}

/** The text of a body up to the limit. The time is limited too, because a slow body never stalls. */
async function readStart(body: Readable, maxBytes: number, stallTimeoutMs: number) {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const timer = setTimeout(() => {
    body.destroy(new Error(`the response of the store was not complete within ${stallTimeoutMs} ms`));
  }, stallTimeoutMs);
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      bytes += chunk.byteLength;
      if (bytes > maxBytes) break;
    }
  } finally {
    clearTimeout(timer);
    discardBody(body);
  }
  return { text: Buffer.concat(chunks).subarray(0, maxBytes).toString(), isWhole: bytes <= maxBytes };
}
