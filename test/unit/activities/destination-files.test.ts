import { describe, expect, it } from 'vitest';
import { createDeleteFile } from '../../../activities/delete-file.ts';
import { listDestination } from '../../../activities/sync/list-destination.ts';
import type { FileFacts } from '../../../src/contracts/sync.ts';
import type { UploadedFile } from '../../../src/contracts/upload.ts';
import { ApiError } from '../../../src/errors.ts';
import type { FileStore, ListFilesQuery } from '../../../src/destinations/port.ts';
import {
  failureOf,
  mockActivity,
  mockDestination,
  withClient,
  type MockedMethods,
} from '../../support/mock-activity.ts';

function file(id: string, changes: Partial<UploadedFile> = {}): UploadedFile {
  return { id, bytes: 5, createdAt: 100, filename: 'a', purpose: 'batch', ...changes };
}

function refusal(status: number): ApiError {
  return new ApiError(`refused with ${status}`, { status });
}

function page(...files: UploadedFile[]) {
  return Promise.resolve({ files, unreadable: [], hasMore: false, nextAfter: undefined });
}

describe('deleting a File', () => {
  const expected = { filename: 'a', bytes: 5, createdAt: 100 };
  const retrieveFile: FileStore['retrieve'] = () => Promise.resolve(file('f'));
  const deleting = (methods: MockedMethods, facts: FileFacts | undefined = expected) =>
    mockActivity().run(
      createDeleteFile(
        withClient({ retrieve: retrieveFile, remove: () => Promise.reject(new Error('deleted')), ...methods }),
      ),
      { destination: 'default', fileId: 'f', expected: facts },
    );

  it('succeeds if the File is already deleted, and fails for other rejections', async () => {
    await deleting({ remove: () => Promise.resolve() });
    await deleting({ remove: () => Promise.reject(refusal(404)) });
    await deleting({ retrieve: () => Promise.reject(refusal(404)) });
    for (const route of ['retrieve', 'remove']) {
      const refused = deleting({ [route]: () => Promise.reject(refusal(403)) });
      expect(await failureOf(refused)).toMatchObject({ type: 'ApiRejected' });
    }
  });

  it.each([
    ['name', { filename: 'b' }],
    ['size', { bytes: 6 }],
    ['creation time', { createdAt: 101 }],
  ])('keeps a File whose %s differs from the expected value', async (what, changes) => {
    const kept = deleting({ retrieve: () => Promise.resolve(file('f', changes)) });
    expect(await failureOf(kept)).toMatchObject({
      type: 'FileDiffers',
      nonRetryable: true,
      message: expect.stringContaining(`its ${what} at the service differs`),
    });
  });

  it('keeps a File whose plan does not state the expected properties', async () => {
    const input = { destination: 'default', fileId: 'f' };
    const kept = mockActivity().run(createDeleteFile(withClient({ retrieve: retrieveFile })), input);
    expect(await failureOf(kept)).toMatchObject({
      type: 'FileDiffers',
      message: expect.stringContaining('has no name'),
    });
  });
});

describe('the list of Files of a destination', () => {
  /** More than any list may take: a loop without an end must fail, as it would block the clock of the test. */
  const MAX_CALLS = 50_000;
  const list = (answer: FileStore['list'], prefix = '') => {
    let calls = 0;
    const listFiles: FileStore['list'] = (query, options) => {
      if (++calls > MAX_CALLS) throw new Error('the list is read without an end');
      return answer(query, options);
    };
    return listDestination(mockDestination({ list: listFiles }), { purpose: 'batch', prefix }, {});
  };

  it('contains only usable Files with the purpose and the prefix', async () => {
    const { files } = await list(
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
    expect([...files].map(({ id }) => id)).toEqual(['1']);
  });

  it('restarts a limited number of times if its position between two pages is lost', async () => {
    let losses = 1;
    const pages = ({ after }: ListFilesQuery = {}) => {
      if (after === undefined)
        return Promise.resolve({ files: [file('1')], unreadable: [], hasMore: true, nextAfter: '1' });
      return losses-- > 0 ? Promise.reject(refusal(400)) : page(file('2'));
    };
    expect([...(await list(pages)).files].map(({ id }) => id)).toEqual(['1', '2']);
    losses = 99;
    await expect(list(pages)).rejects.toMatchObject({ details: { status: 400 } });
    await expect(list(() => Promise.reject(refusal(400)))).rejects.toMatchObject({ details: { status: 400 } });
  });

  it('fails if the service returns the same page repeatedly', async () => {
    const round = () => Promise.resolve({ files: [file('1')], unreadable: [], hasMore: true, nextAfter: '1' });
    await expect(list(round)).rejects.toMatchObject({ code: 'STRANGE_ANSWER' });
  });

  describe('from a service with another form of pagination', () => {
    const rows = (...ids: string[]) => ids.map((id) => file(id));
    const answer = (ids: readonly string[], hasMore?: boolean, nextAfter = ids.at(-1)) =>
      Promise.resolve({ files: rows(...ids), unreadable: [], hasMore, nextAfter });
    const ids = async (listFiles: FileStore['list']) => [...(await list(listFiles)).files].map(({ id }) => id);

    it('that always returns all rows, ends at the repeated page', async () => {
      expect(await ids(() => answer(['1', '2']))).toEqual(['1', '2']);
    });

    it('that omits `hasMore`, is read until an empty page', async () => {
      const pages: Record<string, string[]> = { start: ['1', '2'], '2': ['3'], '3': [] };
      expect(await ids((query?: ListFilesQuery) => answer(pages[query?.after ?? 'start'] ?? []))).toEqual([
        '1',
        '2',
        '3',
      ]);
    });

    it('whose pages overlap, contains each File once', async () => {
      const pages: Record<string, string[]> = { start: ['1', '2'], '2': ['2', '3'] };
      expect(
        await ids((query?: ListFilesQuery) => answer(pages[query?.after ?? 'start'] ?? [], query?.after === undefined)),
      ).toEqual(['1', '2', '3']);
    });

    it.each<[string, FileStore['list']]>([
      ['returns no rows', (query) => answer(query?.after ? [] : ['1'], true)],
      ['returns no cursor', () => answer([], true, undefined)],
      ['returns pages in a cycle', (query) => answer(query?.after === '1' ? ['2'] : ['1'], true)],
    ])('that announces another page and %s, is an error', async (_name, listFiles) => {
      await expect(list(listFiles)).rejects.toMatchObject({ code: 'STRANGE_ANSWER' });
    });

    it('that never ends, is an error', async () => {
      let row = 0;
      await expect(list(() => answer([String(row++)], true))).rejects.toThrow(/does not end/);
    });
  });

  it('counts unreadable rows, except those of another purpose', async () => {
    const unreadable = [undefined, 'batch', 'vision'];
    const { files, unreadableRows } = await list(() =>
      Promise.resolve({ files: [file('1')], unreadable, hasMore: false, nextAfter: undefined }),
    );
    expect(files).toHaveLength(1);
    expect(unreadableRows).toBe(2);
  });
});
