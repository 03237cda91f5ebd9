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

  it('is done when it is gone, and fails for other refusals', async () => {
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
  ])('keeps a File whose %s is not the expected one', async (what, changes) => {
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

describe("the destination's list", () => {
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

  it('holds Files of the purpose and prefix that are good for something', async () => {
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

  it('ends when a server gives the same page again and again', async () => {
    const round = () => Promise.resolve({ files: [file('1')], unreadable: [], hasMore: true, nextAfter: '1' });
    await expect(list(round)).rejects.toMatchObject({ code: 'STRANGE_ANSWER' });
  });

  describe('from a service that pages in another way', () => {
    const rows = (...ids: string[]) => ids.map((id) => file(id));
    const answer = (ids: readonly string[], hasMore?: boolean, nextAfter = ids.at(-1)) =>
      Promise.resolve({ files: rows(...ids), unreadable: [], hasMore, nextAfter });
    const ids = async (listFiles: FileStore['list']) => [...(await list(listFiles)).files].map(({ id }) => id);

    it('that returns all rows whatever it is asked for, ends at the page that repeats', async () => {
      expect(await ids(() => answer(['1', '2']))).toEqual(['1', '2']);
    });

    it('that does not report whether it has more, is read to its end', async () => {
      const pages: Record<string, string[]> = { start: ['1', '2'], '2': ['3'], '3': [] };
      expect(await ids((query?: ListFilesQuery) => answer(pages[query?.after ?? 'start'] ?? []))).toEqual([
        '1',
        '2',
        '3',
      ]);
    });

    it('whose pages overlap, yields each File once', async () => {
      const pages: Record<string, string[]> = { start: ['1', '2'], '2': ['2', '3'] };
      expect(
        await ids((query?: ListFilesQuery) => answer(pages[query?.after ?? 'start'] ?? [], query?.after === undefined)),
      ).toEqual(['1', '2', '3']);
    });

    it.each<[string, FileStore['list']]>([
      ['returns nothing more', (query) => answer(query?.after ? [] : ['1'], true)],
      ['names no place', () => answer([], true, undefined)],
      ['goes round in a cycle', (query) => answer(query?.after === '1' ? ['2'] : ['1'], true)],
    ])('that announces more and %s, is an error', async (_name, listFiles) => {
      await expect(list(listFiles)).rejects.toMatchObject({ code: 'STRANGE_ANSWER' });
    });

    it('that never ends, is an error', async () => {
      let row = 0;
      await expect(list(() => answer([String(row++)], true))).rejects.toThrow(/does not end/);
    });
  });

  it('counts rows that cannot be read, but for those of another purpose', async () => {
    const unreadable = [undefined, 'batch', 'vision'];
    const { files, unreadableRows } = await list(() =>
      Promise.resolve({ files: [file('1')], unreadable, hasMore: false, nextAfter: undefined }),
    );
    expect(files).toHaveLength(1);
    expect(unreadableRows).toBe(2);
  });
});
