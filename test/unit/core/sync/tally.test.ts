import { describe, expect, it } from 'vitest';
import type { SyncTotals } from '../../../../src/contracts/plan-sync.ts';
import type { SyncProgress } from '../../../../src/contracts/sync.ts';
import { describeSync } from '../../../../src/core/show/describe-sync.ts';
import { SyncTally } from '../../../../src/core/sync/tally.ts';

const problem = (path: string) => ({ path, failureType: 'SourceMissing', message: 'gone' });

const totals: SyncTotals = {
  listed: { files: 200, bytes: 2048 },
  same: 3,
  knownContent: 2,
  toSend: { files: 4, bytes: 1024 },
  problems: [problem('a')],
  leftOut: [problem('b')],
  problemCount: 120,
  leftOutCount: 1,
  postponed: [problem('new')],
  postponedCount: 30,
};

describe('the tally of a sync', () => {
  it('counts exactly, lists at most 100 problems, and is kept in the next execution', () => {
    const first = new SyncTally();
    first.begin(totals);
    first.sent(512);
    for (let index = 0; index < 150; index++) first.uploadFailed(problem(`p${index}`));
    first.failed(problem('deletion'));
    first.postponed(problem('growing'));
    first.leftOut(problem('archived'));
    first.toDelete(2);
    first.deleted();
    const { counts, problems, leftOut, postponed, uploadsFailed } = new SyncTally(first.toJSON()).toJSON();
    expect(counts).toEqual({
      listed: { files: 200, bytes: 2048 },
      same: 3,
      knownContent: 2,
      toSend: { files: 4, bytes: 1024 },
      sent: { files: 1, bytes: 512 },
      failed: 120 + 150 + 1,
      leftOut: 2,
      postponed: 31,
      toDelete: 2,
      deleted: 1,
    });
    expect(problems).toHaveLength(100);
    expect(leftOut).toEqual([problem('b'), problem('archived')]);
    expect(postponed).toEqual([problem('new'), problem('growing')]);
    expect(uploadsFailed).toBe(150);
    expect(first.uploadsFailed).toBe(150);
  });
});

describe('a sync in Temporal UI', () => {
  const tally = new SyncTally();
  const at = (state: SyncProgress['state'], { counts }: SyncTally): SyncProgress => ({
    kind: 'sync',
    state,
    filename: 'data',
    bytesTotal: counts.toSend.bytes,
    bytesDone: counts.sent.bytes,
    partsInFlight: 0,
    waiting: null,
    startedAtMs: 0,
    counts,
    uploading: [],
  });

  it('shows the counts of the lists', () => {
    expect(describeSync(at('listing', tally), { nowMs: 0 }).split('\n\n')).toEqual([
      '**listing** · `data` · as of 1970-01-01T00:00:00Z',
      '0 of 0 files sent, of 0 files with 0 B',
      '0 unchanged, 0 known by content, 0 failed, 0 excluded, 0 deleted',
    ]);
  });

  it('shows the progress, the waiting reason and the running uploads', () => {
    tally.begin(totals);
    tally.sent(512);
    const uploading = Array.from({ length: 12 }, (_, index) => (index === 0 ? 'a`b' : `p${index}`));
    const waiting = { reason: 'the key', failureType: 'ApiRejected', sinceMs: 0, nextProbeAtMs: 1 };
    const told = (changes: Partial<SyncProgress>) =>
      describeSync(
        { ...at('uploading', tally), uploading, ...changes },
        { nowMs: 0, bytesPerSecond: 64, reason: 'SourceMissing' },
      );
    const words = told({});
    expect(words).toContain('`██████████░░░░░░░░░░` 50% · 512 B of 1 KiB\n\n1 of 4 files sent');
    expect(words).toContain('64 B/s over the last minute, about 8 s left (until 1970-01-01T00:00:08Z)');
    expect(words).not.toMatch(/Waiting|Paused|Failed/);
    expect(told({ state: 'waiting', waiting })).toMatch(/\*\*Waiting\*\* since .* \(`ApiRejected`\): `the key`/);
    expect(told({ state: 'paused' })).toContain('the update `resume`');
    expect(told({ state: 'failed' })).toContain('**Failed** with `SourceMissing`');
    expect(words).toContain('Now: ``a`b``, `p1`');
    expect(words).toMatch(/`p9` and 2 more$/);
  });

  it('can show files without bytes', () => {
    const none = new SyncTally();
    none.begin({ ...totals, toSend: { files: 1, bytes: 0 } });
    expect(describeSync(at('uploading', none), { nowMs: 0 })).toContain('0 of 1 files sent');
  });
});
