import { describe, expect, it, vi } from 'vitest';
import { createCancelUpload } from '../../../activities/cancel-upload.ts';
import { createCreateUpload } from '../../../activities/create-upload.ts';
import { FailureType } from '../../../src/contracts/failures.ts';
import { ApiError, ConnectionError } from '../../../src/errors.ts';
import type { Destination, FileStore } from '../../../src/destinations/port.ts';
import { failureOf, mockActivity, withClient } from '../../support/mock-activity.ts';

describe('createUpload', () => {
  const fields = { filename: 'x', purpose: 'batch', bytes: 5, mimeType: 'text/plain' };

  it('opens an Upload at its destination', async () => {
    const session = { uploadId: 'upload_1', createdAt: 1, expiresAt: 3601 };
    const createUpload = vi.fn<Destination['open']>().mockResolvedValue(session);
    const activity = createCreateUpload(withClient({ open: createUpload }));
    expect(await mockActivity().run(activity, { destination: 'default', ...fields })).toEqual(session);
    expect(createUpload).toHaveBeenCalledWith(fields, expect.objectContaining({ timeoutMs: 55_000 }));
  });

  it.each([
    ['a.yaml', 'text/yaml'],
    ['A.EPUB', 'application/epub+zip'],
    ['a.ts', 'application/typescript'],
    ['a.unknown', 'application/octet-stream'],
    ['Makefile', 'application/octet-stream'],
  ])('derives the MIME type of %s from its name if the request has none', async (filename, mimeType) => {
    const createUpload = vi.fn<Destination['open']>().mockResolvedValue({} as never);
    const activity = createCreateUpload(withClient({ open: createUpload }));
    const input = { ...fields, destination: 'default', filename, mimeType: 'application/octet-stream' };
    await mockActivity().run(activity, { ...input, mimeTypeByName: true as const });
    expect(createUpload.mock.lastCall?.[0]).toEqual({ ...fields, filename, mimeType });
    await mockActivity().run(activity, input);
    expect(createUpload.mock.lastCall?.[0]).toMatchObject({ mimeType: 'application/octet-stream' });
  });

  it('counts the earlier attempts that might have opened a session, except rejected ones', async () => {
    const session = { uploadId: 'upload_1', createdAt: 1, expiresAt: 3601 };
    const createUpload = vi.fn<Destination['open']>().mockResolvedValue(session);
    const activity = createCreateUpload(withClient({ open: createUpload }));
    const input = { destination: 'default', ...fields };
    const third = { attempt: 3, heartbeatTimeoutMs: 10_000, heartbeatDetails: { refused: 1 } };
    expect(await mockActivity(third).run(activity, input)).toEqual({ ...session, unanswered: 1 });

    createUpload.mockRejectedValueOnce(new ApiError('busy', { status: 503 }));
    createUpload.mockRejectedValueOnce(new ConnectionError('reset'));
    const beats: unknown[] = [];
    const told = () => {
      const environment = mockActivity(third);
      environment.on('heartbeat', (details) => beats.push(details));
      return environment;
    };
    const failures = [await failureOf(told().run(activity, input)), await failureOf(told().run(activity, input))];
    expect(beats).toEqual([{ refused: 2 }]);
    // If all attempts fail, the failure reports the sessions that may be open.
    expect(failures.map(({ details }) => details?.[0])).toMatchObject([{ unanswered: 1 }, { unanswered: 2 }]);
  });

  it('is not aborted by a cancellation, because only a session with a known ID can be cancelled', async () => {
    const session = { uploadId: 'upload_1', createdAt: 1, expiresAt: 3601 };
    const environment = mockActivity();
    const open: Destination['open'] = (_, { signal } = {}) => {
      environment.cancel();
      signal?.throwIfAborted();
      return Promise.resolve(session);
    };
    const activity = createCreateUpload(withClient({ open }));
    expect(await environment.run(activity, { destination: 'default', ...fields })).toEqual(session);
  });

  it('fails permanently if the service rejects the request', async () => {
    const createUpload = vi.fn<Destination['open']>();
    createUpload.mockRejectedValue(new ApiError('wrong purpose', { status: 400 }));
    const running = mockActivity().run(createCreateUpload(withClient({ open: createUpload })), {
      destination: 'default',
      ...fields,
    });
    expect(await failureOf(running)).toMatchObject({ type: FailureType.ApiRejected, nonRetryable: true });
  });
});

describe('cancelUpload', () => {
  const input = { destination: 'default', uploadId: 'upload_1' };
  const cancelUpload = vi.fn<Destination['cancel']>();
  const run = () => mockActivity().run(createCancelUpload(withClient({ cancel: cancelUpload })), input);

  it('cancels the Upload', async () => {
    cancelUpload.mockResolvedValueOnce({ status: 'cancelled' });
    await run();
    expect(cancelUpload).toHaveBeenCalledWith('upload_1', expect.anything());
  });

  it.each([400, 404, 409, 410])('treats %d as an Upload that is already closed', async (status) => {
    cancelUpload.mockRejectedValueOnce(new ApiError('not open', { status }));
    await expect(run()).resolves.toBeUndefined();
  });

  describe('after a completion without a response', () => {
    const completion = { uploadCreatedAt: 1, filename: 'a.jsonl', purpose: 'batch', bytes: 5 };
    const file = { id: 'file-1', bytes: 5, createdAt: 2, filename: 'a.jsonl', purpose: 'batch' };
    const listFiles = vi.fn<FileStore['list']>();
    const settle = () =>
      mockActivity().run(createCancelUpload(withClient({ cancel: cancelUpload, list: listFiles })), {
        ...input,
        completion,
      });

    it.each([
      ['rejects the cancellation', () => cancelUpload.mockRejectedValueOnce(new ApiError('not open', { status: 409 }))],
      ['accepts it for a completed Upload', () => cancelUpload.mockResolvedValueOnce({ status: 'completed' })],
    ])('returns the File if the service %s', async (_, respond) => {
      respond();
      listFiles.mockResolvedValueOnce({ files: [file], hasMore: false } as never);
      expect(await settle()).toEqual(file);
    });

    it('returns nothing if the Upload was cancelled', async () => {
      cancelUpload.mockResolvedValueOnce({ status: 'cancelled' });
      listFiles.mockClear();
      expect(await settle()).toBeUndefined();
      expect(listFiles).not.toHaveBeenCalled();
    });
  });

  it('fails without a response, and if the service rejects the call for another reason', async () => {
    cancelUpload
      .mockRejectedValueOnce(new ConnectionError('reset'))
      .mockRejectedValueOnce(new ApiError('wrong key', { status: 401 }));
    expect(await failureOf(run())).toMatchObject({ type: FailureType.ConnectionFailed, nonRetryable: false });
    expect(await failureOf(run())).toMatchObject({ type: FailureType.ApiRejected, nonRetryable: true });
  });
});
