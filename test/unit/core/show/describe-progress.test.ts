import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UploadProgress } from '../../../../src/contracts/upload.ts';
import { describeProgress, type ProgressContext } from '../../../../src/core/show/describe-progress.ts';

const MiB = 1024 * 1024;

const halfWay: UploadProgress = {
  kind: 'upload',
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

const now = { nowMs: Date.UTC(2023, 10, 14, 22, 30) };

function lines(changes: Partial<UploadProgress>, context: Partial<ProgressContext> = {}): string[] {
  return describeProgress({ ...halfWay, ...changes }, { ...now, ...context }).split('\n\n');
}

describe('the description of an upload in Temporal UI', () => {
  it('contains state, name, time, percentage, parts, rate and session', () => {
    expect(lines({}, { bytesPerSecond: 4 * MiB, partsSent: 67 })).toEqual([
      '**uploading** · `train.jsonl` · as of 2023-11-14T22:30:00Z',
      '`██████████░░░░░░░░░░` 50% · 512 MiB of 1 GiB',
      '64 of 128 parts recorded, 16 in flight, at most 16 at a time, 3 resent or failed',
      '4 MiB/s over the last minute, about 2 min 08 s left (until 2023-11-14T22:32:08Z)',
      'Upload `upload_1` (session 2) expires 2023-11-14T23:13:20Z',
    ]);
  });

  it('contains only state and name before the source is inspected', () => {
    expect(lines({ state: 'inspecting', bytesTotal: 0, bytesDone: 0, session: null })).toEqual([
      '**inspecting** · `train.jsonl` · as of 2023-11-14T22:30:00Z',
    ]);
  });

  it('contains the waiting reason, the next retry, and the update that retries now', () => {
    const waiting = { reason: 'the key', failureType: 'ApiRejected', sinceMs: 0, nextProbeAtMs: now.nowMs };
    const words = lines({ state: 'waiting', waiting }, { bytesPerSecond: 1 });
    expect(words).toContain('**Waiting** since 1970-01-01T00:00:00Z (`ApiRejected`): `the key`');
    expect(words.join()).toMatch(/Next automatic retry: 2023-11-14T22:30:00Z.*the update `retry`/);
    expect(words.join()).not.toMatch(/over the last minute|resume/);
  });

  it('contains the update that resumes a paused upload, and advice for a session that expires too early', () => {
    expect(lines({ state: 'paused' }).join()).toContain('the update `resume`');
    expect(lines({ sessionEndsTooEarly: true }).join()).toMatch(/expires before the file is complete.*`retune`/);
    expect(lines({}).join()).not.toMatch(/resume|retune/);
  });

  it('contains the outcome, without a closed session', () => {
    const completed = lines({ state: 'completed', bytesDone: 1024 * MiB }, { fileId: 'file-1' });
    expect(completed).toContain('File `file-1`');
    const failed = lines({ state: 'failed' }, { reason: 'SessionLost' });
    expect(failed).toContain('**Failed** with `SessionLost`');
    expect([...completed, ...failed].join()).not.toMatch(/expires|in flight/);
  });

  it('shows a name as code', () => {
    expect(lines({ filename: 'a`b\n**c**' })[0]).toContain('``a`b�**c**``');
  });

  it('shows a bar of 20 cells, and 100% only if all bytes are sent', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1024 }), (mebibytes) => {
        const text = lines({ bytesDone: mebibytes * MiB }).join('\n');
        expect(/`([█░]+)`/.exec(text)?.[1]).toHaveLength(20);
        expect(text.includes('100%')).toBe(mebibytes === 1024);
      }),
    );
  });
});
