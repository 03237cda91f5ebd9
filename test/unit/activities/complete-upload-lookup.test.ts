import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { FailureType } from '../../../src/contracts/failures.ts';
import type { UploadedFile } from '../../../src/contracts/upload.ts';
import { ApiError, ConnectionError } from '../../../src/errors.ts';
import { failureOf } from '../../support/mock-activity.ts';
import {
  result,
  completeUpload,
  listFiles,
  downloadFile,
  run,
  refusal,
  content,
  page,
  resetCalls,
} from './complete-upload-scene.ts';

const { pause } = vi.hoisted(() => {
  // Another file of this process may have loaded the module that waits, with the real clock.
  vi.resetModules();
  return { pause: vi.fn<() => Promise<void>>(() => Promise.resolve()) };
});
afterAll(() => {
  vi.resetModules();
});
vi.mock('node:timers/promises', () => ({ setTimeout: pause }));

beforeEach(() => {
  pause.mockClear();
  resetCalls();
});

describe('completeUpload after a lost response', () => {
  it.each([400, 404, 409, 410])('finds the File in the list if the completion is rejected with %d', async (status) => {
    completeUpload.mockRejectedValue(refusal(status, 'not open'));
    listFiles.mockResolvedValue(page([result]));
    expect(await run(2)).toEqual(result);
    expect(listFiles).toHaveBeenCalledWith(
      expect.objectContaining({ purpose: 'fine-tune', order: 'desc' }),
      expect.anything(),
    );
    expect(pause).not.toHaveBeenCalled();
  });

  it.each([
    ['in the message', refusal(409, 'Upload is already completed')],
    ['in the code', refusal(400, 'not open', 'upload_completed')],
  ])('lists Files at the first attempt if the error reports a completed Upload %s', async (_, error) => {
    completeUpload.mockRejectedValue(error);
    listFiles.mockResolvedValue(page([result]));
    expect(await run(1)).toEqual(result);
  });

  it('lists Files again if the File is not listed yet', async () => {
    completeUpload.mockRejectedValue(refusal(400, 'is completed'));
    listFiles
      .mockResolvedValueOnce(page([]))
      .mockResolvedValueOnce(page([]))
      .mockResolvedValue(page([result]));
    expect(await run(2)).toEqual(result);
    expect(pause).toHaveBeenCalledTimes(2);
  });

  it.each([400, 404, 410])('waits for an operator if five lists after a %d do not contain the File', async (status) => {
    completeUpload.mockRejectedValue(refusal(status, 'not open'));
    expect(await failureOf(run(2))).toMatchObject({
      type: FailureType.CompletionUncertain,
      nonRetryable: true,
      details: [{ attempt: 2, status }],
    });
    expect(listFiles).toHaveBeenCalledTimes(5);
    expect(pause).toHaveBeenCalledTimes(4);
  });

  it.each([
    [404, 'upload has expired'],
    [400, 'upload was cancelled'],
    [409, 'upload is expired'],
  ])('opens a new session if the message of the %d is that the %s', async (status, said) => {
    completeUpload.mockRejectedValue(refusal(status, said));
    expect(await failureOf(run(2))).toMatchObject({ type: FailureType.SessionLost, nonRetryable: true });
  });

  it('selects the File by the MD5 of its content among Files of the same name and size', async () => {
    completeUpload.mockRejectedValue(refusal(400, 'is completed'));
    downloadFile.mockImplementation((id) => content(id === 'file-2' ? 'of another' : ''));
    listFiles.mockResolvedValue(page([{ ...result, id: 'file-2' }, result]));
    expect(await run(2)).toEqual(result);
  });

  it('ignores the File of another upload while its own is not listed, and reads each File once', async () => {
    completeUpload.mockRejectedValue(refusal(400, 'is completed'));
    downloadFile.mockImplementation((id) => content(id === 'file-2' ? 'of another' : ''));
    const other = { ...result, id: 'file-2' };
    listFiles
      .mockResolvedValueOnce(page([other]))
      .mockResolvedValueOnce(page([other]))
      .mockResolvedValue(page([result, other]));
    expect(await run(2)).toEqual(result);
    expect(downloadFile.mock.calls.map(([id]) => id)).toEqual(['file-2', 'file-1']);
  });

  it('fails if only the File of another upload is listed', async () => {
    completeUpload.mockRejectedValue(refusal(400, 'is completed'));
    downloadFile.mockImplementation(() => content('of another'));
    listFiles.mockResolvedValue(page([result]));
    expect(await failureOf(run(2))).toMatchObject({ type: FailureType.CompletionUncertain });
  });

  it('returns the only matching File if its content cannot be downloaded or the MD5 is unknown', async () => {
    completeUpload.mockRejectedValue(refusal(400, 'is completed'));
    downloadFile.mockRejectedValue(new ApiError('not allowed to download files of this purpose', { status: 400 }));
    listFiles.mockResolvedValue(page([result]));
    expect(await run(2)).toEqual(result);
    downloadFile.mockReset();
    expect(await run(2, { md5: undefined as unknown as string })).toEqual(result);
    expect(downloadFile).not.toHaveBeenCalled();
  });

  it('retries if the download of the content is interrupted', async () => {
    completeUpload.mockRejectedValue(refusal(400, 'is completed'));
    downloadFile.mockRejectedValue(new ConnectionError('reset'));
    listFiles.mockResolvedValue(page([result]));
    expect(await failureOf(run(2))).toMatchObject({ type: FailureType.ConnectionFailed, nonRetryable: false });
  });

  it('waits for an operator if two Files match', async () => {
    completeUpload.mockRejectedValue(refusal(400, 'is completed'));
    listFiles.mockResolvedValue(page([{ ...result, id: 'file-2' }, result]));
    const failure = await failureOf(run(2));
    expect(failure).toMatchObject({ type: FailureType.CompletionUncertain, nonRetryable: true });
    expect(failure.message).toContain('file-2, file-1');
  });

  it.each<[string, Partial<UploadedFile>]>([
    ['is older than the Upload', { createdAt: 999 }],
    ['has another name', { filename: 'test.jsonl' }],
    ['has another size', { bytes: 41 }],
    ['has the status "error"', { status: 'error' }],
  ])('does not return a File that %s', async (_, change) => {
    completeUpload.mockRejectedValue(refusal(400, 'is completed'));
    listFiles.mockResolvedValue(page([{ ...result, ...change }]));
    expect(await failureOf(run(2))).toMatchObject({ type: FailureType.CompletionUncertain });
  });

  it('returns a File that was created in the same second as the Upload', async () => {
    completeUpload.mockRejectedValue(refusal(400, 'is completed'));
    listFiles.mockResolvedValue(page([{ ...result, createdAt: 1000 }]));
    expect(await run(2)).toMatchObject({ id: 'file-1' });
  });

  it('reads the pages of the list until Files are older than the Upload', async () => {
    const other = { ...result, id: 'file-9', filename: 'other' };
    completeUpload.mockRejectedValue(refusal(400, 'is completed'));
    listFiles
      .mockResolvedValueOnce(page([other], 'file-9'))
      .mockResolvedValueOnce(page([result, { ...result, id: 'file-0', createdAt: 10 }], 'file-0'));
    expect(await run(2)).toEqual(result);
    expect(listFiles.mock.calls.map(([query]) => query?.after)).toEqual([undefined, 'file-9']);
  });

  it('retries if the list is unavailable', async () => {
    completeUpload.mockRejectedValue(refusal(400, 'is completed'));
    listFiles.mockRejectedValue(new ConnectionError('reset'));
    expect(await failureOf(run(2))).toMatchObject({ type: FailureType.ConnectionFailed, nonRetryable: false });
  });

  it.each([400, 404, 409, 410])('does not report a lost session if the list is rejected with %d', async (status) => {
    completeUpload.mockRejectedValue(refusal(404, 'no such Upload'));
    listFiles.mockRejectedValue(refusal(status, 'no such route'));
    expect(await failureOf(run(2))).toMatchObject({
      type: FailureType.StrangeAnswer,
      nonRetryable: false,
      message: expect.stringContaining('cannot look up the File of upload_1'),
    });
  });
});

describe('completeUpload with an unusual list of Files', () => {
  beforeEach(() => {
    completeUpload.mockRejectedValue(refusal(400, 'is completed'));
  });

  it('accepts a File of unknown size, and returns the size of the session', async () => {
    listFiles.mockResolvedValue({ ...page([]), files: [{ ...result, bytes: null }] });
    expect(await run(2)).toEqual(result);
  });

  it('continues to the next page if the list is not sorted', async () => {
    const old = { ...result, id: 'file-0', filename: 'other', createdAt: 10 };
    listFiles
      .mockResolvedValueOnce(page([old, { ...old, id: 'file-9', createdAt: 2000 }], 'file-9'))
      .mockResolvedValueOnce(page([result]));
    expect(await run(2)).toEqual(result);
  });

  it('finds the File in a list that never ends, and retries if it is not listed', async () => {
    listFiles.mockResolvedValue(page([result], 'file-1'));
    expect(await run(2)).toEqual(result);
    listFiles.mockResolvedValue(page([{ ...result, filename: 'other' }], 'file-1'));
    expect(await failureOf(run(2))).toMatchObject({ type: FailureType.StrangeAnswer, nonRetryable: false });
  });
});
