import { ApplicationFailure } from '@temporalio/common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCompleteUpload } from '../../../activities/complete-upload.ts';
import { createCreateUpload } from '../../../activities/create-upload.ts';
import { listDestination } from '../../../activities/sync/list-destination.ts';
import { toApplicationFailure } from '../../../activities/failures.ts';
import { LonghaulError } from '../../../src/errors.ts';
import { createDestination } from '../../../src/destinations/kinds.ts';
import type { Destination } from '../../../src/destinations/port.ts';

import { Sources } from '../../../src/sources/sources.ts';
import { withCaptureServer, type Reply } from '../../support/capture-server.ts';
import { memoryReader } from '../../support/memory-reader.ts';
import { mockActivity } from '../../support/mock-activity.ts';
import { generatedRuns, jsonText, mutated, strangeTexts } from '../../support/mutated.ts';

const facts = { bytes: 3, createdAt: 5, filename: 'a.jsonl', purpose: 'assistants' };
const file = {
  id: 'file-1',
  object: 'file',
  bytes: 3,
  created_at: 5,
  expires_at: null,
  filename: 'a',
  purpose: 'assistants',
};
const upload = { id: 'upload_1', object: 'upload', created_at: 5, expires_at: 3605, status: 'pending' };
const activityInput = { destination: 'default', filename: 'a', purpose: 'assistants', bytes: 3 };

type Call = (client: Destination) => Promise<unknown>;

const dependencies = (client: Destination) => ({ destination: () => client, sources: new Sources() });

/** Each call, with the correct body of its response. */
const calls: readonly (readonly [name: string, correct: unknown, call: Call])[] = [
  [
    'create',
    upload,
    (client) =>
      mockActivity().run(createCreateUpload(dependencies(client)), { ...activityInput, mimeType: 'text/plain' }),
  ],
  [
    'part',
    { id: 'part_1', object: 'upload.part', created_at: 5, upload_id: 'upload_1' },
    (client) =>
      client.send('upload_1', {
        reader: memoryReader(Buffer.from('abc')),
        partNumber: 1,
        offsetBytes: 0,
        sizeBytes: 3,
      }),
  ],
  [
    'complete',
    { ...upload, status: 'completed', file },
    (client) => client.complete('upload_1', { partIds: ['part_1'], file: facts }),
  ],
  [
    'complete, as an activity',
    { ...upload, status: 'completed', file },
    (client) =>
      mockActivity().run(createCompleteUpload(dependencies(client)), {
        ...activityInput,
        uploadId: 'upload_1',
        uploadCreatedAt: 5,
        partIds: ['part_1'],
      }),
  ],
  ['complete with the bare File', file, (client) => client.complete('upload_1', { partIds: ['p'], file: facts })],
  ['cancel', { ...upload, status: 'cancelled' }, (client) => client.cancel('upload_1')],
  ['retrieve', file, (client) => client.files.retrieve('file-1')],
  ['delete', { id: 'file-1', object: 'file', deleted: true }, (client) => client.files.remove('file-1')],
  [
    'list',
    { object: 'list', data: [file, { ...file, id: 'file-2' }], has_more: false, first_id: 'file-1', last_id: 'file-2' },
    (client) => listDestination(client, { purpose: 'assistants', prefix: '' }, {}),
  ],
];

const errorBody = { error: { message: 'because', type: 'invalid_request_error', param: 'p', code: 'c' } };
const statuses = [200, 201, 204, 302, 400, 401, 403, 404, 408, 409, 410, 413, 422, 429, 500, 502, 503, 504];

/** Text as it can be in a header, and in no more than a server's client reads. */
const headerValue = strangeTexts.map((text) => text.replace(/[^\t\x20-\x7e]/g, '?').slice(0, 2000));

const replies = (correct: unknown): fc.Arbitrary<Reply> =>
  fc.oneof(
    { arbitrary: mutated(correct).map((body): Reply => ({ body: jsonText(body) })), weight: 6 },
    { arbitrary: fc.constantFrom<Reply>({ body: correct as object }, { status: 204 }), weight: 1 },
    { arbitrary: strangeTexts.map((body): Reply => ({ body })), weight: 1 },
    {
      arbitrary: fc
        .record({
          status: fc.constantFrom(...statuses),
          body: fc.oneof(mutated(errorBody).map(jsonText), strangeTexts, mutated(correct).map(jsonText)),
          headers: fc.dictionary(
            fc.constantFrom('retry-after', 'retry-after-ms', 'x-request-id', 'location', 'date', 'content-type'),
            headerValue,
            { maxKeys: 3 },
          ),
        })
        .map((reply): Reply => reply),
      weight: 4,
    },
  );

/** What is wrong with a failure, as Temporal would record it and a terminal would show it. */
function faultOf(error: unknown): string | undefined {
  if (!(error instanceof LonghaulError || error instanceof ApplicationFailure)) return `untyped: ${String(error)}`;
  const { message, details, nextRetryDelay } = toApplicationFailure(error, { attempt: 1 }) as ApplicationFailure;
  if (message.length > 3000 || JSON.stringify(details).length > 2000) return 'too long';
  // oxlint-disable-next-line no-control-regex
  if (/[\0-\x1f\x7f-\x9f]/.test(message)) return `unprintable: ${message}`;
  const delayMs = Number(nextRetryDelay ?? 1);
  return delayMs > 0 && delayMs <= 60_000 ? undefined : `delay of ${delayMs} ms`;
}

/** No value of a service reaches a workflow that is not a short text or a number that a date can be. */
function isUsable(value: unknown): boolean {
  if (typeof value === 'string') return value.length <= 4096;
  if (typeof value === 'number') return value >= 0 && Number.isSafeInteger(Math.trunc(value));
  return typeof value !== 'object' || value === null || Object.values(value).every(isUsable);
}

describe('any response of the service', () => {
  const timeoutMs = 60_000 + generatedRuns(0) * 10;

  it.each(calls)(
    'to the call %s leads to a usable result or a typed error',
    { timeout: timeoutMs },
    async (_name, correct, call) => {
      let reply: Reply = {};
      await withCaptureServer({ reply: () => reply }, async ({ baseUrl }) => {
        const client = createDestination({ name: 'test', baseUrl, apiKey: 'sk-test', requestTimeoutMs: 5000 });
        const property = fc.asyncProperty(replies(correct), async (generated) => {
          reply = generated;
          const fault = await call(client).then(
            (result) => (isUsable(result) ? undefined : `unusable: ${JSON.stringify(result).slice(0, 500)}`),
            faultOf,
          );
          expect(fault).toBeUndefined();
        });
        try {
          await fc.assert(property, { numRuns: Math.ceil(generatedRuns(450) / calls.length) });
        } finally {
          await client.close();
        }
      });
    },
  );
});
