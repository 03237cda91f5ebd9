import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDeleteFile } from '../../../activities/delete-file.ts';
import { listDestination } from '../../../activities/list-destination.ts';
import { createUploadSmallFile } from '../../../activities/upload-small-file.ts';
import type { UploadSmallFileInput, UploadSmallFileResult } from '../../../src/contracts/activities.ts';
import type { UploadedFile } from '../../../src/contracts/upload.ts';
import { ApiError, ConnectionError } from '../../../src/errors.ts';
import type { ListFilesQuery } from '../../../src/openai/files.ts';
import type { UploadsClient } from '../../../src/openai/uploads-client.ts';
import { openFileSource } from '../../../src/sources/file-source.ts';
import { failureOf, mockActivity, withClient } from '../../support/mock-activity.ts';
import { withTempDir } from '../../support/temp-dir.ts';

const session = { uploadId: 'upload_1', createdAt: 100, expiresAt: 3700 };

function file(id: string, changes: Partial<UploadedFile> = {}): UploadedFile {
  return { id, bytes: 5, createdAt: 100, filename: 'a', purpose: 'batch', ...changes };
}

function refusal(status: number): ApiError {
  return new ApiError(`refused with ${status}`, { status });
}

function page(...files: UploadedFile[]) {
  return Promise.resolve({ files, hasMore: false, nextAfter: undefined });
}

interface Scene {
  readonly calls: string[];
  readonly run: (methods: Partial<UploadsClient>, info?: object) => Promise<UploadSmallFileResult>;
}

/** A service that takes everything, but for what `methods` does otherwise. */
function withFile(body: (scene: Scene) => Promise<void>, changes: Partial<UploadSmallFileInput> = {}): Promise<void> {
  return withTempDir(async (directory) => {
    const path = join(directory, 'a');
    await writeFile(path, 'hello');
    const reader = await openFileSource({ type: 'file', path });
    const { fingerprint, sizeBytes } = await reader.stat();
    await reader.close();
    const source = { type: 'file', path } as const;
    const common = { destination: 'default', filename: 'a', purpose: 'batch', mimeType: 'text/plain' };
    const input = { ...common, source, fingerprint, sizeBytes, md5: true, newestFile: null, ...changes };
    const calls: string[] = [];
    const run = (methods: Partial<UploadsClient>, info = {}) => {
      const base: Partial<UploadsClient> = {
        createUpload: () => Promise.resolve(session),
        addPart: () => Promise.resolve({ partId: 'part_1' }),
        completeUpload: (_id, { md5 }) => Promise.resolve(file(`made ${md5 ?? 'without md5'}`)),
        cancelUpload: () => Promise.resolve(),
        listFiles: () => page(),
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
      const activity = createUploadSmallFile(withClient(logged));
      return mockActivity({ attempt: 1, ...info }).run(activity, input) as Promise<UploadSmallFileResult>;
    };
    await body({ calls, run });
  });
}

const HELLO = '5d41402abc4b2a76b9719d911017c592';

describe('a small file', () => {
  it('is sent with three calls, and its md5', () =>
    withFile(async ({ calls, run }) => {
      expect(await run({})).toEqual({ file: file(`made ${HELLO}`), md5: HELLO });
      expect(calls).toEqual(['createUpload', 'addPart', 'completeUpload']);
    }));

  it('goes without md5 when it is not wanted', () =>
    withFile(async ({ run }) => expect(await run({})).toMatchObject({ file: { id: 'made without md5' }, md5: null }), {
      md5: false,
      fileExpiresAfterSeconds: 3600,
    }));

  it('that changed since it was listed is not sent, and its session is cancelled', () =>
    withFile(
      async ({ calls, run }) => {
        expect(await failureOf(run({}))).toMatchObject({ type: 'SourceChanged' });
        expect(calls).toEqual(['createUpload', 'cancelUpload']);
      },
      { fingerprint: 'other', md5: false },
    ));

  it('that is refused leaves no session behind', () =>
    withFile(async ({ calls, run }) => {
      const refused = await failureOf(run({ completeUpload: () => Promise.reject(refusal(422)) }));
      expect(refused).toMatchObject({ type: 'ApiRejected', nonRetryable: true });
      expect(calls.at(-1)).toBe('cancelUpload');
      const gone = await failureOf(run({ addPart: () => Promise.reject(refusal(404)) }));
      expect(gone).toMatchObject({ type: 'SessionLost', nonRetryable: false });
    }));

  it('whose completion has no answer keeps its session for the next attempt to find out', () =>
    withFile(async ({ calls, run }) => {
      const lost = run({ completeUpload: () => Promise.reject(new ConnectionError('reset')) });
      expect(await failureOf(lost)).toMatchObject({ type: 'ConnectionFailed' });
      expect(calls).not.toContain('cancelUpload');
    }));
});

describe('an attempt after one that was broken off', () => {
  const again = { attempt: 2, heartbeatDetails: { uploadId: 'upload_0' } };
  const ended = { cancelUpload: () => Promise.reject(refusal(400)) };

  it('sends anew when the session before it can be cancelled', () =>
    withFile(async ({ calls, run }) => {
      expect((await run({}, again)).file.id).toBe(`made ${HELLO}`);
      expect(calls).toEqual(['cancelUpload', 'createUpload', 'addPart', 'completeUpload']);
    }));

  it('takes the File of a session that was completed', () =>
    withFile(
      async ({ calls, run }) => {
        const others = [
          file('other-name', { filename: 'b' }),
          file('other-size', { bytes: 6 }),
          file('failed', { status: 'error' }),
          file('seen-before'),
          file('older', { createdAt: 99 }),
        ];
        const { file: found } = await run({ ...ended, listFiles: () => page(file('mine'), ...others) }, again);
        expect(found.id).toBe('mine');
        expect(calls).toEqual(['cancelUpload', 'listFiles']);
      },
      { newestFile: { id: 'seen-before', createdAt: 100 } },
    ));

  it('looks at all pages, some times, and sends anew when there is no File', () =>
    withFile(async ({ calls, run }) => {
      let looks = 0;
      const listFiles = ({ after }: ListFilesQuery = {}) => {
        if (after === undefined) return Promise.resolve({ files: [], hasMore: true, nextAfter: 'x' });
        looks++;
        return page();
      };
      expect((await run({ ...ended, listFiles }, again)).file.id).toBe(`made ${HELLO}`);
      expect(looks).toBe(3);
      expect(calls.filter((call) => call === 'createUpload')).toHaveLength(1);
    }));

  it('does not choose between two Files', () =>
    withFile(async ({ run }) => {
      const failure = await failureOf(run({ ...ended, listFiles: () => page(file('1'), file('2')) }, again));
      expect(failure).toMatchObject({ type: 'CompletionUncertain', message: expect.stringContaining('1, 2') });
    }));

  it('looks for the File also where the session is not known, and passes on trouble', () =>
    withFile(async ({ calls, run }) => {
      expect((await run({ listFiles: () => page(file('mine')) }, { attempt: 2 })).file.id).toBe('mine');
      expect(calls).toEqual(['listFiles']);
      const trouble = run({ cancelUpload: () => Promise.reject(refusal(503)) }, again);
      expect(await failureOf(trouble)).toMatchObject({ type: 'ApiUnavailable' });
    }));
});

describe('deleting a File', () => {
  const deleting = (deleteFile: UploadsClient['deleteFile']) =>
    mockActivity().run(createDeleteFile(withClient({ deleteFile })), { destination: 'default', fileId: 'f' });

  it('is done when it is gone, and fails for other refusals', async () => {
    await deleting(() => Promise.resolve());
    await deleting(() => Promise.reject(refusal(404)));
    expect(await failureOf(deleting(() => Promise.reject(refusal(403))))).toMatchObject({ type: 'ApiRejected' });
  });
});

describe("the destination's list", () => {
  const list = (listFiles: UploadsClient['listFiles'], prefix = '') =>
    listDestination({ listFiles } as UploadsClient, { purpose: 'batch', prefix }, {});

  it('holds Files of the purpose and prefix that are good for something', async () => {
    const files = await list(
      () =>
        page(
          file('1', { filename: 'p-a', expiresAt: Date.now() / 1000 + 60 }),
          file('2', { filename: 'x' }),
          file('3', { filename: 'p-b', purpose: 'vision' }),
          file('4', { filename: 'p-c', status: 'error' }),
          file('5', { filename: 'p-d', expiresAt: 1 }),
        ),
      'p-',
    );
    expect(files.map(({ id }) => id)).toEqual(['1']);
  });

  it('begins again when its place between two pages is lost, and not for ever', async () => {
    let losses = 1;
    const pages = ({ after }: ListFilesQuery = {}) => {
      if (after === undefined) return Promise.resolve({ files: [file('1')], hasMore: true, nextAfter: '1' });
      return losses-- > 0 ? Promise.reject(refusal(400)) : page(file('2'));
    };
    expect((await list(pages)).map(({ id }) => id)).toEqual(['1', '2']);
    losses = 99;
    await expect(list(pages)).rejects.toMatchObject({ details: { status: 400 } });
    await expect(list(() => Promise.reject(refusal(400)))).rejects.toMatchObject({ details: { status: 400 } });
  });

  it('ends when a server gives the same page again and again', async () => {
    const round = () => Promise.resolve({ files: [file('1')], hasMore: true, nextAfter: '1' });
    await expect(list(round)).rejects.toMatchObject({ code: 'STRANGE_ANSWER' });
  });
});
