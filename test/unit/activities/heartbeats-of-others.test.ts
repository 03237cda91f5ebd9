import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCompleteUpload } from '../../../activities/complete-upload.ts';
import { createCreateUpload } from '../../../activities/create-upload.ts';
import { createHashSource } from '../../../activities/hash-source.ts';
import { createOpenBatch } from '../../../activities/open-batch.ts';
import { Sources } from '../../../src/sources/sources.ts';
import { mockActivity, withClient } from '../../support/mock-activity.ts';
import { generatedRuns, mutated, strangeValues } from '../../support/mutated.ts';
import { withTempDir } from '../../support/temp-dir.ts';

/** Any client of Temporal can send the heartbeat that the next attempt of an activity receives. */
const session = { uploadId: 'upload_1', createdAt: 1, expiresAt: 3601 };
const file = { id: 'file-1', bytes: 3, createdAt: 2, filename: 'a', purpose: 'batch' };
const fields = { destination: 'default', filename: 'a', purpose: 'batch', bytes: 3 };
const dependencies = withClient({
  open: async () => session,
  complete: async () => file,
  list: async () => ({ files: [file] }) as never,
});

function heartbeats(correct: unknown): unknown[] {
  return fc.sample(fc.oneof(strangeValues, mutated(correct)), generatedRuns(60));
}

describe('an activity after a heartbeat of another client', () => {
  it.each([
    [
      'createUpload',
      { refused: 0 },
      session,
      () => createCreateUpload(dependencies),
      { ...fields, mimeType: 'text/plain' },
    ],
    [
      'openBatch',
      { sessions: { 0: session } },
      { outcomes: [{ session: { uploadId: expect.any(String), expiresAt: expect.any(Number) } }] },
      () => createOpenBatch(dependencies),
      { ...fields, files: [{ filename: 'a', bytes: 3 }], concurrency: 1 },
    ],
    [
      'completeUpload',
      { rejected: 1 },
      file,
      () => createCompleteUpload(dependencies),
      { ...fields, uploadId: 'upload_1', uploadCreatedAt: 1, partIds: ['p'] },
    ],
  ])('%s returns its result', async (_, correct, expected, create, input) => {
    for (const heartbeatDetails of heartbeats(correct)) {
      const result = await mockActivity({ attempt: 2, heartbeatDetails }).run(create() as never, input);
      // Never a part of the heartbeat that no worker wrote.
      expect(result).toMatchObject(expected);
    }
  });

  it('hashSource computes the MD5 of the whole source', () =>
    withTempDir(async (directory) => {
      const path = join(directory, 'a');
      await writeFile(path, 'abc');
      const sources = new Sources();
      const source = { type: 'file', path } as const;
      const { sizeBytes, fingerprint } = await sources.read(source, {}, (reader) => reader.stat());
      for (const heartbeatDetails of heartbeats({ offsetBytes: 0, state: '' })) {
        const run = mockActivity({ attempt: 2, heartbeatDetails });
        const result = await run.run(createHashSource({ ...dependencies, sources }), {
          source,
          sizeBytes,
          fingerprint,
        });
        expect(result).toMatchObject({ md5: '900150983cd24fb0d6963f7d28e17f72' });
      }
    }));
});
