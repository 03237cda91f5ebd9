import { describe, expect, it, vi } from 'vitest';
import { describeStatus } from '../../../../../src/cli/commands/status/view.ts';
import { createLiveView } from '../../../../../src/cli/job/live-view.ts';
import { progressWords } from '../../../../../src/cli/text/progress.ts';
import { describeCounts } from '../../../../../src/core/show/describe-sync.ts';
import type { SyncCounts, SyncProgress } from '../../../../../src/contracts/sync.ts';

const counts: SyncCounts = {
  listed: { files: 9, bytes: 4096 },
  same: 3,
  knownContent: 1,
  toSend: { files: 4, bytes: 2048 },
  sent: { files: 2, bytes: 1024 },
  failed: 1,
  leftOut: 1,
  toDelete: 2,
  deleted: 1,
};
const progress: SyncProgress = {
  kind: 'sync',
  state: 'uploading',
  filename: 'data',
  bytesTotal: 2048,
  bytesDone: 1024,
  partsInFlight: 0,
  waiting: null,
  startedAtMs: 0,
  counts,
  uploading: ['a'],
};

const wordsOf = (one: SyncProgress) => progressWords(one, one.bytesDone).join(' · ');
const sentBytes = progress.bytesDone;

describe('the description of a sync', () => {
  it('contains the counts of the files, without zeros', () => {
    expect(describeCounts(counts)).toBe(
      '2 sent (1 KiB) · 3 unchanged · 1 known by content · 1 deleted · 1 excluded · 1 failed',
    );
    const quiet = { ...counts, knownContent: 0, deleted: 0, leftOut: 0, failed: 0 };
    expect(describeCounts(quiet)).toBe('2 sent (1 KiB) · 3 unchanged');
  });

  it('contains the progress', () => {
    expect(wordsOf(progress)).toBe('2 of 4 files · 1 KiB of 2 KiB · 1 failed');
    expect(wordsOf({ ...progress, state: 'deleting' })).toBe('deleting · 1 of 2');
    expect(wordsOf({ ...progress, state: 'paused' })).toMatch(/paused$/);
    const nothing = { ...counts, toSend: { files: 0, bytes: 0 } };
    expect(wordsOf({ ...progress, state: 'listing', counts: nothing })).toBe('listing');
  });

  it('contains the running uploads and the waiting reason of a status', () => {
    const waiting = { reason: 'the key', failureType: 'ApiRejected', sinceMs: 0, nextProbeAtMs: 0 };
    const words = describeStatus('id', { ...progress, waiting });
    expect(words).toMatch(/^id: uploading · 9 files \(4 KiB\) · 2 of 4 files .* 1 uploading · waiting: the key$/);
    expect(describeStatus('id', { ...progress, bytesSent: 1536 })).toMatch(/ 1.5 KiB of 2 KiB /);
    expect(describeStatus('id', { ...progress, state: 'completed', uploading: [] })).not.toMatch(/of 4 files/);
  });

  it.each(['lines', 'quiet'] as const)('reports a host without a worker once, as %s', (kind) => {
    const unpolled = { taskQueue: 'longhaul-transfer-a', host: 'a', reason: 'no worker of host a. Start it.' };
    const lines: string[] = [];
    const view = createLiveView(kind, (line) => lines.push(line), process.stderr);
    view.show('', { type: 'progress', progress, bytesSent: sentBytes, unpolled }, 'sync-1');
    view.show('', { type: 'no-answer', reason: unpolled.reason, unpolled }, 'sync-1');
    view.show('', { type: 'progress', progress, bytesSent: sentBytes, unpolled }, 'sync-1');
    view.close();
    expect(lines.filter((line) => line === unpolled.reason)).toHaveLength(1);
    expect(lines).toHaveLength(kind === 'lines' ? 2 : 1);
    expect(describeStatus('id', { ...progress, unpolled })).toContain(`waiting: ${unpolled.reason}`);
  });

  it('prints each state and each problem once', () => {
    const lines: string[] = [];
    const view = createLiveView('lines', (line) => lines.push(line), process.stderr);
    view.show('', { type: 'progress', progress, bytesSent: sentBytes }, 'sync-1');
    view.show('', { type: 'progress', progress, bytesSent: sentBytes }, 'sync-1');
    view.show('', { type: 'no-answer', reason: 'x' }, 'sync-1');
    view.show('', { type: 'no-answer', reason: 'x' }, 'sync-1');
    view.show('', { type: 'progress', bytesSent: sentBytes, progress: { ...progress, state: 'deleting' } }, 'sync-1');
    view.show('', { type: 'ended', status: 'COMPLETED' }, 'sync-1');
    view.close();
    expect(lines).toEqual([
      '2 of 4 files · 1 KiB of 2 KiB · 1 failed',
      'waiting for a response from a worker or Temporal',
      'deleting · 1 of 2',
    ]);
  });

  it('prints a line every five seconds, with the bytes of files in progress', () => {
    vi.useFakeTimers();
    try {
      const lines: string[] = [];
      const view = createLiveView('lines', (line) => lines.push(line), process.stderr);
      for (const bytesSent of [1024, 1280, 1536, 1792]) {
        view.show('', { type: 'progress', progress, bytesSent }, 'sync-1');
        vi.advanceTimersByTime(2500);
      }
      expect(lines).toEqual([
        '2 of 4 files · 1 KiB of 2 KiB · 1 failed',
        '2 of 4 files · 1.5 KiB of 2 KiB · 1 failed · 102 B/s · 5 s left',
      ]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('prints only the waiting reason, once, with --quiet', () => {
    const lines: string[] = [];
    const view = createLiveView('quiet', (line) => lines.push(line), process.stderr);
    view.show('', { type: 'progress', progress, bytesSent: sentBytes }, 'sync-1');
    view.show('', { type: 'no-answer', reason: 'x' }, 'sync-1');
    expect(lines).toEqual([]);
    const waiting = { reason: 'the key is rejected', failureType: 'ApiRejected', sinceMs: 0, nextProbeAtMs: 1 };
    view.show(
      '',
      { type: 'progress', bytesSent: sentBytes, progress: { ...progress, state: 'waiting', waiting } },
      'sync-1',
    );
    view.show(
      '',
      { type: 'progress', bytesSent: sentBytes, progress: { ...progress, state: 'waiting', waiting } },
      'sync-1',
    );
    view.close();
    expect(lines).toEqual([
      'waiting: the key is rejected. Retries automatically. To retry now, run "longhaul retry sync-1".',
    ]);
  });
});
