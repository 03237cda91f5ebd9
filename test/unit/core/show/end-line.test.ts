import { describe, expect, it } from 'vitest';
import { syncEndLine, uploadEndLine } from '../../../../src/core/show/end-line.ts';

const upload = {
  filename: 'train.jsonl',
  bytesTotal: 2 * 1024 ** 2,
  bytesDone: 1024 ** 2,
  startedAtMs: 1_000,
  session: { uploadId: 'upload_1', createdAt: 1, expiresAt: 3601 },
};

describe('uploadEndLine', () => {
  it('contains the size, the duration, the rate and the File ID of a completed upload', () => {
    expect(uploadEndLine({ state: 'completed', fileIds: ['file-1'] }, upload, 3_000)).toEqual({
      message: 'upload completed: train.jsonl · 2 MiB in 2 s (1 MiB/s) · file-1',
      fields: {
        state: 'completed',
        filename: 'train.jsonl',
        bytes: 2 * 1024 ** 2,
        bytesDone: 1024 ** 2,
        durationMs: 2_000,
        bytesPerSecond: 1024 ** 2,
        uploadId: 'upload_1',
        fileId: 'file-1',
      },
    });
  });

  it('counts the Files of a split upload', () => {
    const { message, fields } = uploadEndLine(
      { state: 'completed', fileIds: ['a', 'b'] },
      { ...upload, pieces: [] },
      3_000,
    );
    expect(message).toBe('upload completed: train.jsonl · 2 MiB in 2 s (1 MiB/s) · 2 Files');
    expect(fields).toMatchObject({ files: 2 });
    expect(fields).not.toHaveProperty('fileId');
  });

  it('contains the reason of a failure, and the ID of the request if the service rejected it', () => {
    const details = { status: 422, requestId: 'req_1', attempt: 1 };
    const { message, fields } = uploadEndLine(
      { state: 'failed', failureType: 'ApiRejected', reason: 'no such purpose', details },
      upload,
      3_000,
    );
    expect(message).toBe(
      'upload failed: train.jsonl · 1 MiB of 2 MiB recorded after 2 s · ApiRejected: no such purpose',
    );
    expect(fields).toMatchObject({
      failureType: 'ApiRejected',
      status: 422,
      requestId: 'req_1',
      reason: 'no such purpose',
    });
    expect(fields).not.toHaveProperty('attempt');
  });

  it('shows no bytes if an upload was cancelled before its source was inspected', () => {
    const { message } = uploadEndLine({ state: 'cancelled' }, { ...upload, bytesTotal: 0, bytesDone: 0 }, 1_500);
    expect(message).toBe('upload cancelled: train.jsonl · after 500 ms');
  });
});

describe('syncEndLine', () => {
  it('contains the counts of a sync, and the reason if it failed', () => {
    const none = { files: 0, bytes: 0 };
    const counts = {
      listed: { files: 3, bytes: 30 },
      same: 1,
      knownContent: 1,
      toSend: { files: 1, bytes: 10 },
      sent: none,
      failed: 1,
      leftOut: 0,
      toDelete: 0,
      deleted: 0,
    };
    const progress = {
      kind: 'sync',
      state: 'failed',
      filename: '/data/set',
      bytesTotal: 10,
      bytesDone: 0,
      partsInFlight: 0,
      waiting: null,
      startedAtMs: 0,
      counts,
      uploading: [],
    } as const;
    const { message, fields } = syncEndLine(
      { state: 'failed', failureType: 'TooManyFiles', reason: 'too many' },
      progress,
      9_000,
    );
    expect(message).toBe(
      'sync failed: /data/set · 0 sent (0 B) · 1 unchanged · 1 known by content · 1 failed · 9 s · TooManyFiles: too many',
    );
    expect(fields).toMatchObject({
      state: 'failed',
      source: '/data/set',
      same: 2,
      failed: 1,
      failureType: 'TooManyFiles',
    });
  });
});
