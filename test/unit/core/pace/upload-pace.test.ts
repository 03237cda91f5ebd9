import { describe, expect, it } from 'vitest';
import type { UploadProgress } from '../../../../src/contracts/upload.ts';
import { uploadPace } from '../../../../src/core/pace/upload-pace.ts';

const startedAtMs = 1_000_000;

function progress(changes: Partial<UploadProgress> = {}): UploadProgress {
  return {
    kind: 'upload',
    state: 'uploading',
    filename: 'a',
    bytesTotal: 1000,
    bytesDone: 200,
    partSizeBytes: 100,
    partsTotal: 10,
    partsDone: 2,
    partsInFlight: 2,
    concurrency: 2,
    limit: null,
    session: { uploadId: 'u', createdAt: startedAtMs / 1000 + 10, expiresAt: startedAtMs / 1000 + 3610 },
    sessionEndsTooEarly: false,
    waiting: null,
    sessionsOpened: 1,
    orphanedSessions: 0,
    md5: null,
    startedAtMs,
    ...changes,
  };
}

describe('the rate of an upload', () => {
  it('is the measured rate, with the time left at that rate', () => {
    expect(uploadPace(progress(), 200, 80, startedAtMs)).toEqual({ bytesPerSecond: 80, leftMs: 10_000 });
  });

  it('is the average of the session before the first measurement', () => {
    expect(uploadPace(progress(), 200, undefined, startedAtMs + 15_000)).toEqual({
      bytesPerSecond: 40,
      leftMs: 20_000,
    });
  });

  it('is the average since the start for a split upload, or without a session', () => {
    const split = { ...progress(), pieces: [] };
    expect(uploadPace(split, 300, undefined, startedAtMs + 15_000).bytesPerSecond).toBe(20);
    expect(uploadPace(progress({ session: null }), 300, undefined, startedAtMs + 15_000).bytesPerSecond).toBe(20);
  });

  it('is undefined in the first seconds, like the time left of a stalled upload', () => {
    const nothing = { bytesPerSecond: undefined, leftMs: undefined };
    expect(uploadPace(progress(), 200, undefined, startedAtMs + 11_000)).toEqual(nothing);
    expect(uploadPace(progress(), 200, 0, startedAtMs)).toEqual({ bytesPerSecond: 0, leftMs: undefined });
  });

  it('is undefined while nothing is sent', () => {
    const nothing = { bytesPerSecond: undefined, leftMs: undefined };
    expect(uploadPace(progress({ state: 'paused' }), 200, 80, startedAtMs)).toEqual(nothing);
  });
});
