import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UploadProgress } from '../../../src/contracts/upload.ts';
import { describeProgress } from '../../../src/core/describe-progress.ts';

const MiB = 1024 * 1024;

const halfWay: UploadProgress = {
  state: 'uploading',
  filename: 'train.jsonl',
  bytesTotal: 1024 * MiB,
  bytesDone: 512 * MiB,
  partSizeBytes: 8 * MiB,
  partsTotal: 128,
  partsDone: 64,
  partsInFlight: 16,
  concurrency: 16,
  limit: null,
  session: { uploadId: 'upload_1', createdAt: 1_700_000_000, expiresAt: 1_700_003_600 },
  sessionEndsTooEarly: false,
  waiting: null,
  sessionsOpened: 2,
  orphanedSessions: 0,
  md5: null,
  startedAtMs: 0,
};

describe('the description of an upload in Temporal UI', () => {
  it('tells state, name, share, parts and session', () => {
    expect(describeProgress(halfWay).split('\n\n')).toEqual([
      '**uploading** · train.jsonl',
      '`██████████░░░░░░░░░░` 50 % · 512 MiB of 1 GiB',
      '64 of 128 parts recorded, 16 in flight, at most 16 at a time',
      'Upload `upload_1` (session 2) expires 2023-11-14T23:13:20.000Z',
    ]);
  });

  it('tells only state and name before the source was inspected', () => {
    expect(describeProgress({ ...halfWay, state: 'inspecting', bytesTotal: 0, bytesDone: 0, session: null })).toBe(
      '**inspecting** · train.jsonl',
    );
  });

  it('draws a bar of twenty cells, full only when everything is there', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1024 }), (mebibytes) => {
        const text = describeProgress({ ...halfWay, bytesDone: mebibytes * MiB });
        expect(/`([█░]+)`/.exec(text)?.[1]).toHaveLength(20);
        expect(text.includes('100 %')).toBe(mebibytes === 1024);
      }),
    );
  });
});
