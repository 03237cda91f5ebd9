import { describe, expect, it } from 'vitest';
import { SessionOutlook } from '../../../../src/cli/job/session-outlook.ts';
import type { JobEvent } from '../../../../src/client/jobs.ts';

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;
const START_MS = 1_800_000_000_000;
const session = { uploadId: 'upload_1', createdAt: START_MS / 1000, expiresAt: START_MS / 1000 + 3600 };

const event = (bytesSent: number, changes: object = {}): JobEvent =>
  ({
    type: 'progress',
    bytesSent,
    progress: {
      kind: 'upload',
      state: 'uploading',
      bytesTotal: 8 * GiB,
      session,
      sessionEndsTooEarly: false,
      ...changes,
    },
  }) as unknown as JobEvent;

const watch = (changes: object = {}) => {
  const outlook = new SessionOutlook();
  return (seconds: number, bytes: number, more: object = {}) =>
    outlook.advise('a', event(bytes, { ...changes, ...more }), START_MS + seconds * 1000);
};

describe('SessionOutlook', () => {
  it('suggests a sufficient size by the bytes in flight, without those in buffers at the start', () => {
    const at = watch();
    expect(at(0, 0)).toBeUndefined();
    expect(at(5, 64 * MiB)).toBeUndefined();
    expect(at(17, 70 * MiB)).toBeUndefined();
    expect(at(26, 79 * MiB)).toBeUndefined();
    const line =
      'at this rate (1 MiB/s), the session expires before the file is complete. If it is a JSONL file, cancel this upload and use --split-size 2GiB.';
    expect(at(27, 80 * MiB)).toBe(line);
    expect(at(28, 400 * MiB)).toBe(line);
    // A lower rate needs a smaller size.
    expect(at(117, 120 * MiB)).toContain('--split-size 1GiB');
    expect(at(118, 171 * MiB)).toContain('--split-size 1GiB');
    // A new session is measured again.
    expect(at(120, MiB, { session: { ...session, uploadId: 'upload_2' } })).toBeUndefined();
  });

  it('prints nothing for a rate that is sufficient, without a session, while paused and for a sync', () => {
    const at = watch();
    expect(at(0, 4 * MiB)).toBeUndefined();
    expect(at(12, 44 * MiB)).toBeUndefined();
    expect(at(32, 124 * MiB)).toBeUndefined();
    for (const changes of [{ state: 'paused' }, { session: null }, { kind: 'sync' }]) {
      const other = watch(changes);
      expect([other(0, MiB), other(12, MiB), other(60, 2 * MiB)]).toEqual([undefined, undefined, undefined]);
    }
  });

  it('measures the running piece of a split upload only', () => {
    const piece = (state: string) => ({ state, range: { offsetBytes: 0, sizeBytes: 2 * GiB } });
    const pieces = [piece('completed'), piece('uploading'), piece('pending'), piece('pending')];
    const run = (bytesPerSecond: number) => {
      const at = watch({ kind: 'split', pieces });
      return [0, 12, 22].map((seconds) => at(seconds, 2 * GiB + MiB + seconds * bytesPerSecond)).at(-1);
    };
    expect(run(MiB)).toBeUndefined();
    expect(run(MiB / 4)).toContain('--split-size 512MiB');
  });
});
