import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCompleteUpload } from '../../../activities/complete-upload.ts';
import { FailureType } from '../../../src/contracts/failures.ts';
import type { UploadedFile } from '../../../src/contracts/upload.ts';
import { ApiError, ConnectionError } from '../../../src/errors.ts';
import { failureOf, mockActivity, withClient } from '../../support/mock-activity.ts';
import {
  input,
  facts,
  result,
  completeUpload,
  listFiles,
  downloadFile,
  run,
  refusal,
  page,
  resetCalls,
} from './complete-upload-scene.ts';

// Another file of this process may have loaded the module that waits, with the real clock.
vi.hoisted(() => vi.resetModules());
afterAll(() => {
  vi.resetModules();
});
vi.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() }));

beforeEach(resetCalls);

describe('completeUpload', () => {
  it('rejects a File whose size differs from the sum of its parts', async () => {
    completeUpload.mockResolvedValue({ ...result, bytes: 5 });
    expect(await failureOf(run(1))).toMatchObject({
      type: FailureType.StrangeAnswer,
      message: 'the service returned the File file-1 of 5 bytes for upload_1, whose parts have 42 bytes',
    });
  });

  it('sends the part IDs in order with the MD5, and returns the File', async () => {
    completeUpload.mockResolvedValue(result);
    expect(await run(1)).toEqual(result);
    expect(completeUpload).toHaveBeenCalledWith(
      'upload_1',
      { partIds: ['b', 'a'], md5: input.md5, file: facts },
      expect.objectContaining({ timeoutMs: 55_000 }),
    );
    expect(listFiles).not.toHaveBeenCalled();
  });

  it('sends no MD5 if the input has none', async () => {
    completeUpload.mockResolvedValue(result);
    const { md5: _md5, ...without } = input;
    await mockActivity().run(createCompleteUpload(withClient({ complete: completeUpload })), without);
    expect(completeUpload).toHaveBeenCalledWith('upload_1', { partIds: ['b', 'a'], file: facts }, expect.anything());
  });

  it('fails with a retryable error after a lost connection, without listing Files', async () => {
    completeUpload.mockRejectedValue(new ConnectionError('reset'));
    expect(await failureOf(run(1))).toMatchObject({ type: FailureType.ConnectionFailed, nonRetryable: false });
    expect(listFiles).not.toHaveBeenCalled();
  });

  it('fails immediately if the service rejects the first attempt', async () => {
    completeUpload.mockRejectedValue(refusal(400, 'sum of parts is 41, not 42'));
    expect(await failureOf(run(1))).toMatchObject({
      type: FailureType.ApiRejected,
      nonRetryable: true,
      message: expect.stringContaining('sum of parts'),
      details: [{ attempt: 1, status: 400 }],
    });
    expect(listFiles).not.toHaveBeenCalled();
  });

  it.each([404, 410])('reports a lost session if the first attempt is rejected with %d', async (status) => {
    completeUpload.mockRejectedValue(refusal(status, 'no such upload'));
    expect(await failureOf(run(1))).toMatchObject({
      type: FailureType.SessionLost,
      nonRetryable: true,
      details: [{ attempt: 1, status }],
    });
    expect(listFiles).not.toHaveBeenCalled();
  });

  it.each([401, 403, 413, 422])(
    'fails immediately with a %d, which an earlier attempt cannot have caused',
    async (status) => {
      completeUpload.mockRejectedValue(refusal(status, 'no'));
      expect(await failureOf(run(3))).toMatchObject({ type: FailureType.ApiRejected, nonRetryable: true });
      expect(listFiles).not.toHaveBeenCalled();
    },
  );
});

describe('completeUpload after an attempt that was rejected without effect', () => {
  const rejection = new ApiError('slow down', { status: 429, retryAfterMs: 1000 });
  const runAfter = (attempt: number, rejected: number) =>
    mockActivity({ attempt, heartbeatDetails: { rejected } }).run(
      createCompleteUpload(withClient({ complete: completeUpload, list: listFiles, read: downloadFile })),
      input,
    ) as Promise<UploadedFile>;

  it('reports that the attempt had no effect', async () => {
    completeUpload.mockRejectedValue(rejection);
    expect((await failureOf(run(1))).details).toMatchObject([{ attempt: 1, status: 429, notDone: true }]);
    expect((await failureOf(runAfter(2, 1))).details).toMatchObject([{ attempt: 2, notDone: true }]);
    expect((await failureOf(runAfter(3, 1))).details).toEqual([{ attempt: 3, status: 429 }]);
  });

  it('accepts a later rejection without listing Files', async () => {
    completeUpload.mockRejectedValue(refusal(400, 'wrong md5'));
    expect(await failureOf(runAfter(2, 1))).toMatchObject({ type: FailureType.ApiRejected });
    expect(listFiles).not.toHaveBeenCalled();
    expect(await failureOf(runAfter(3, 1))).toMatchObject({ type: FailureType.CompletionUncertain });
  });
});

describe('completeUpload while the service is busy with the Upload', () => {
  it.each([1, 2, 100])('fails with a retryable error at attempt %d', async (attempt) => {
    completeUpload.mockRejectedValue(refusal(409, 'busy with another request'));
    expect(await failureOf(run(attempt))).toMatchObject({ type: FailureType.ApiUnavailable, nonRetryable: false });
  });

  it('lists Files also if only an earlier call might have completed the Upload', async () => {
    completeUpload.mockRejectedValue(refusal(400, 'not open'));
    listFiles.mockResolvedValue(page([result]));
    expect(await run(1, { mayBeCompleted: true })).toEqual(result);
  });

  it('fails immediately if it is completed and its File is not listed', async () => {
    completeUpload.mockRejectedValue(refusal(409, 'already completed'));
    expect(await failureOf(run(1))).toMatchObject({ type: FailureType.CompletionUncertain, nonRetryable: true });
    expect(listFiles).toHaveBeenCalledTimes(5);
  });
});
