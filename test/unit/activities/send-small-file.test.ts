import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { createSendSmallFile } from '../../../activities/send-small-file.ts';
import type { SendSmallFileInput, SendSmallFileResult } from '../../../src/contracts/activities.ts';
import type { UploadedFile } from '../../../src/contracts/upload.ts';
import { ApiError, ConnectionError } from '../../../src/errors.ts';
import type { UploadsClient } from '../../../src/openai/uploads-client.ts';
import { openFileSource } from '../../../src/sources/file/source.ts';
import { UploadLimits } from '../../../src/worker/upload-limits.ts';
import { failureOf, mockActivity, withClient } from '../../support/mock-activity.ts';
import { withTempDir } from '../../support/temp-dir.ts';

// Files of a process share modules: the one that waits must be loaded with this clock, and with no other file's.
vi.hoisted(() => vi.resetModules());
afterAll(() => {
  vi.resetModules();
});
vi.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() }));

function file(id: string, changes: Partial<UploadedFile> = {}): UploadedFile {
  return { id, bytes: 5, createdAt: 100, filename: 'a', purpose: 'batch', ...changes };
}

function refusal(status: number, said = 'refused'): ApiError {
  return new ApiError(`${said} with ${status}`, { status });
}

interface Scene {
  readonly calls: string[];
  readonly beats: unknown[];
  readonly run: (methods: Partial<UploadsClient>, info?: object) => Promise<SendSmallFileResult>;
}

/** A service that takes everything, but for what `methods` does otherwise. */
function withFile(body: (scene: Scene) => Promise<void>, changes: Partial<SendSmallFileInput> = {}): Promise<void> {
  return withTempDir(async (directory) => {
    const path = join(directory, 'a');
    await writeFile(path, 'hello');
    const reader = await openFileSource({ type: 'file', path });
    const { fingerprint, sizeBytes } = await reader.stat();
    await reader.close();
    const source = { type: 'file', path } as const;
    const session = { uploadId: 'upload_1', uploadCreatedAt: 100 };
    const common = { destination: 'default', filename: 'a', purpose: 'batch', md5: true };
    const input = { ...common, ...session, source, fingerprint, sizeBytes, ...changes };
    const calls: string[] = [];
    const beats: unknown[] = [];
    const run = (methods: Partial<UploadsClient>, info = {}) => {
      const base: Partial<UploadsClient> = {
        addPart: async (_id, content) => {
          await content.reader.read(Buffer.alloc(content.sizeBytes), 0);
          return { partId: 'part_1' };
        },
        completeUpload: (_id, { md5 }) => Promise.resolve(file(`made ${md5 ?? 'without md5'}`)),
        cancelUpload: () => Promise.resolve({ status: 'cancelled' }),
        listFiles: () => Promise.resolve({ files: [], unreadable: [], hasMore: false, nextAfter: undefined }),
        downloadFile: () => Promise.resolve(Readable.from([Buffer.from('hello')], { objectMode: false })),
      };
      const logged = Object.fromEntries(
        Object.entries({ ...base, ...methods }).map(([name, method]) => [
          name,
          (...args: never[]) => {
            calls.push(name);
            return Reflect.apply(method, undefined, args) as unknown;
          },
        ]),
      );
      const environment = mockActivity({ attempt: 1, heartbeatTimeoutMs: 10_000, ...info });
      environment.on('heartbeat', (details) => beats.push(details));
      const dependencies = { ...withClient(logged), limits: new UploadLimits() };
      return environment.run(createSendSmallFile(dependencies), input) as Promise<SendSmallFileResult>;
    };
    await body({ calls, beats, run });
  });
}

const HELLO = '5d41402abc4b2a76b9719d911017c592';

describe('a small file', () => {
  it('is sent and completed in one go, with its md5', () =>
    withFile(async ({ calls, run }) => {
      expect(await run({})).toEqual({ file: file(`made ${HELLO}`), md5: HELLO });
      expect(calls).toEqual(['addPart', 'completeUpload']);
    }));

  it('goes without md5 when it is not wanted', () =>
    withFile(async ({ run }) => expect(await run({})).toMatchObject({ file: { id: 'made without md5' }, md5: null }), {
      md5: false,
    }));

  it.each([
    [{ key: 'sync', bytesPerSecond: 131_072 }, true],
    [undefined, false],
  ])('waits for the rate of its sync: %j', (sharedLimit, waits) =>
    withFile(
      async ({ run }) => {
        const turns: unknown[] = [];
        const addPart: UploadsClient['addPart'] = (_id, { reader, sizeBytes, pace }) => {
          turns.push(pace?.(131_072), pace?.(1));
          return reader.read(Buffer.alloc(sizeBytes), 0).then(() => ({ partId: 'part_1' }));
        };
        await run({ addPart });
        expect(turns.some((turn) => turn !== undefined)).toBe(waits);
      },
      sharedLimit ? { sharedLimit } : {},
    ),
  );

  it('that changed since it was listed is not sent', () =>
    withFile(
      async ({ calls, run }) => {
        expect(await failureOf(run({}))).toMatchObject({ type: 'SourceChanged' });
        expect(calls).toEqual([]);
      },
      { fingerprint: 'other', md5: false },
    ));

  it.each([refusal(404), refusal(410), refusal(400, 'is cancelled')])('needs another session after %s', (error) =>
    withFile(async ({ run }) => {
      const lost = await failureOf(run({ addPart: () => Promise.reject(error) }));
      expect(lost).toMatchObject({ type: 'SessionLost', nonRetryable: true });
    }),
  );

  it('is refused in the words of the service', () =>
    withFile(async ({ run }) => {
      const refused = await failureOf(run({ completeUpload: () => Promise.reject(refusal(422)) }));
      expect(refused).toMatchObject({ type: 'ApiRejected', nonRetryable: true });
    }));

  it('goes into the same session again when its part failed, and the next attempt is told so', () =>
    withFile(async ({ calls, beats, run }) => {
      await failureOf(run({ addPart: () => Promise.reject(new ConnectionError('reset')) }));
      expect(beats).toEqual([{ cleanAttempt: 1 }]);
      calls.length = 0;
      await run({}, { attempt: 2, heartbeatDetails: { cleanAttempt: 1 } });
      expect(calls).toEqual(['addPart', 'completeUpload']);
    }));

  it.each([
    [429, {}],
    [503, { retryAfterMs: 1000 }],
    [401, {}],
    [403, {}],
  ])('repeats only the completion, in the same session, after it was rejected with %d', (status, details) =>
    withFile(async ({ calls, beats, run }) => {
      const rejection = new ApiError('not now', { status, ...details });
      const failure = await failureOf(run({ completeUpload: () => Promise.reject(rejection) }));
      const sentPart = { partId: 'part_1', md5: HELLO };
      expect(failure.details).toMatchObject([{ attempt: 1, notDone: true, sentPart }]);
      expect(beats).toEqual([{ cleanAttempt: 1, sentPart }]);
      calls.length = 0;
      await run({}, { attempt: 2, heartbeatDetails: { cleanAttempt: 1, sentPart } });
      expect(calls).toEqual(['completeUpload']);
    }),
  );

  it('completes with the Part that an earlier call has left in the session', () =>
    withFile(
      async ({ calls, run }) => {
        expect(await run({})).toMatchObject({ file: { id: 'made cafe' }, md5: 'cafe' });
        expect(calls).toEqual(['completeUpload']);
      },
      { sentPart: { partId: 'part_0', md5: 'cafe' } },
    ));

  it.each([408, 500, 503, 504])('leaves a completion in doubt that failed with %d', (status) =>
    withFile(async ({ beats, run }) => {
      const failure = await failureOf(run({ completeUpload: () => Promise.reject(refusal(status)) }));
      expect(failure.details).toEqual([{ attempt: 1, status }]);
      expect(beats).toEqual([]);
    }),
  );
});

describe('an attempt after one that may have completed the Upload', () => {
  const again = { attempt: 2 };
  const list = (...files: UploadedFile[]) => ({
    listFiles: () => Promise.resolve({ files, unreadable: [], hasMore: false, nextAfter: undefined }),
  });

  it('says nothing that would let the next one send again', () =>
    withFile(async ({ beats, run }) => {
      await failureOf(run({ completeUpload: () => Promise.reject(new ConnectionError('reset')) }));
      expect(beats).toEqual([]);
    }));

  it('sends nothing when the session can be cancelled, and asks for another one', () =>
    withFile(async ({ calls, run }) => {
      expect(await failureOf(run({}, again))).toMatchObject({ type: 'SessionLost', nonRetryable: true });
      expect(calls).toEqual(['cancelUpload']);
    }));

  it('is not misled by what an attempt long before it has told', () =>
    withFile(async ({ calls, run }) => {
      await failureOf(run({}, { attempt: 3, heartbeatDetails: { cleanAttempt: 1 } }));
      expect(calls).toEqual(['cancelUpload']);
    }));

  it('takes the File of a session that was completed', () =>
    withFile(async ({ calls, run }) => {
      const ended = { cancelUpload: () => Promise.reject(refusal(400, 'is completed')) };
      const { file: found } = await run({ ...ended, ...list(file('b', { filename: 'b' }), file('mine')) }, again);
      expect(found.id).toBe('mine');
      expect(calls).toEqual(['cancelUpload', 'listFiles', 'downloadFile']);
    }));

  it('leaves it to a person when the Upload is completed and its File does not show', () =>
    withFile(async ({ run }) => {
      const ended = { cancelUpload: () => Promise.reject(refusal(409, 'is completed')) };
      expect(await failureOf(run(ended, again))).toMatchObject({ type: 'CompletionUncertain', nonRetryable: true });
    }));

  it('asks for another session when the one before it expired', () =>
    withFile(async ({ run }) => {
      const ended = { cancelUpload: () => Promise.reject(refusal(400, 'has expired')) };
      expect(await failureOf(run(ended, again))).toMatchObject({ type: 'SessionLost' });
    }));

  it('comes back later when the service is in trouble', () =>
    withFile(async ({ run }) => {
      const trouble = { cancelUpload: () => Promise.reject(refusal(503)) };
      expect(await failureOf(run(trouble, again))).toMatchObject({ type: 'ApiUnavailable', nonRetryable: false });
    }));

  it.each([undefined, 'pending', 'completed'])(
    'finds the File if the service reports %s after a cancellation',
    (status) =>
      withFile(async ({ run }) => {
        const lenient = { cancelUpload: () => Promise.resolve({ status }), ...list(file('mine')) };
        expect((await run(lenient, again)).file.id).toBe('mine');
      }),
  );

  it('does not look for a File of a session that was never completed', () =>
    withFile(
      async ({ calls, run }) => {
        const ended = { cancelUpload: () => Promise.reject(refusal(400, 'what is this')) };
        expect(await failureOf(run(ended))).toMatchObject({ type: 'SessionLost' });
        expect(calls).toEqual(['cancelUpload']);
      },
      { onlySettle: true, neverCompleted: true },
    ));

  it('finds out only, when that is all it is asked for', () =>
    withFile(
      async ({ calls, run }) => {
        await failureOf(run({}));
        expect(calls).toEqual(['cancelUpload']);
      },
      { onlySettle: true },
    ));
});
