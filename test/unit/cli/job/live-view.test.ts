import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLiveView } from '../../../../src/cli/job/live-view.ts';
import type { PartTrouble } from '../../../../src/client/follow/pending.ts';
import type { JobEvent } from '../../../../src/client/jobs.ts';
import type { UploadProgress } from '../../../../src/contracts/upload.ts';

const MiB = 1024 * 1024;

const progress: UploadProgress = {
  kind: 'upload',
  state: 'uploading',
  filename: 'x',
  bytesTotal: 100 * MiB,
  bytesDone: 0,
  partSizeBytes: 8 * MiB,
  partsTotal: 13,
  partsDone: 0,
  partsInFlight: 8,
  concurrency: 8,
  limit: null,
  session: null,
  sessionEndsTooEarly: false,
  waiting: null,
  sessionsOpened: 1,
  orphanedSessions: 0,
  md5: null,
  startedAtMs: 0,
};

const sent = (mebibytes: number, changes: Partial<UploadProgress> = {}, trouble?: PartTrouble): JobEvent => ({
  type: 'progress',
  progress: { ...progress, ...changes },
  bytesSent: mebibytes * MiB,
  trouble,
});

const trouble: PartTrouble = { activity: 'uploadPart', attempt: 2, failureType: 'TimedOut', message: 'it is slow' };

const unpolled = { taskQueue: 'longhaul-transfer-a', host: 'a', reason: 'no worker of host a. Start it.' };

let lines: string[];
const note = (line: string): void => {
  lines.push(line);
};

beforeEach(() => {
  lines = [];
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('progress in lines', () => {
  it('shows the percentage, the bytes, the rate and the time left', () => {
    const view = createLiveView('lines', note, process.stderr);
    view.show('x', sent(0), 'id-x');
    vi.advanceTimersByTime(5000);
    view.show('x', sent(50), 'id-x');
    expect(lines).toEqual(['x: 0% · 0 B of 100 MiB', 'x: 50% · 50 MiB of 100 MiB · 10 MiB/s · 5 s left']);
  });

  it.each(['lines', 'quiet'] as const)(
    'reports a host without a worker once, as %s, and continues to show progress',
    (kind) => {
      const view = createLiveView(kind, note, process.stderr);
      const event = { ...sent(0), unpolled } as JobEvent;
      view.show('x', event, 'id-x');
      view.show('x', { type: 'no-answer', reason: unpolled.reason, unpolled }, 'id-x');
      view.show('x', event, 'id-x');
      view.show('x', sent(1), 'id-x');
      expect(lines.filter((line) => line === `x: ${unpolled.reason}`)).toHaveLength(1);
      expect(lines).toHaveLength(kind === 'lines' ? 2 : 1);
    },
  );

  it('prints at most one line every five seconds', () => {
    const view = createLiveView('lines', note, process.stderr);
    for (let step = 0; step <= 100; step++) {
      view.show('x', sent(step / 2), 'id-x');
      vi.advanceTimersByTime(100);
    }
    expect(lines).toHaveLength(3);
  });

  it('prints a new state immediately', () => {
    const view = createLiveView('lines', note, process.stderr);
    view.show('x', sent(0, { state: 'inspecting', bytesTotal: 0 }), 'id-x');
    view.show('x', sent(0, { state: 'creating' }), 'id-x');
    view.show('x', sent(0, { state: 'uploading' }), 'id-x');
    view.show('x', sent(100, { state: 'completing' }), 'id-x');
    expect(lines).toEqual([
      'x: inspecting',
      'x: 0% · 0 B of 100 MiB · creating',
      'x: 0% · 0 B of 100 MiB',
      'x: 100% · 100 MiB of 100 MiB · completing',
    ]);
  });

  it('omits the time left while no bytes are sent', () => {
    const view = createLiveView('lines', note, process.stderr);
    view.show('x', sent(50), 'id-x');
    vi.advanceTimersByTime(20_000);
    view.show('x', sent(50), 'id-x');
    expect(lines.at(-1)).toBe('x: 50% · 50 MiB of 100 MiB');
  });

  it('measures the uploads of one command separately', () => {
    const view = createLiveView('lines', note, process.stderr);
    view.show('x', sent(0), 'id-x');
    view.show('y', sent(40), 'id-y');
    vi.advanceTimersByTime(10_000);
    view.show('x', sent(10), 'id-x');
    view.show('y', sent(60), 'id-y');
    expect(lines.slice(2)).toEqual([
      'x: 10% · 10 MiB of 100 MiB · 1 MiB/s · 1 min 30 s left',
      'y: 60% · 60 MiB of 100 MiB · 2 MiB/s · 20 s left',
    ]);
  });

  it('prints a problem once, and again when it recurs', () => {
    const view = createLiveView('lines', note, process.stderr);
    for (const event of [sent(1, {}, trouble), sent(1, {}, trouble), sent(2), sent(2, {}, trouble)]) {
      view.show('x', event, 'id-x');
    }
    const said = 'x: it is slow. Retrying.';
    expect(lines.filter((line) => line.includes('slow'))).toEqual([said, said]);
  });

  it('prints a problem once if only the request ID differs', () => {
    const view = createLiveView('lines', note, process.stderr);
    for (const request of ['req_1', 'req_2']) {
      view.show('x', sent(1, {}, { ...trouble, message: `the service returned 503 (request ${request})` }), 'id-x');
    }
    expect(lines.filter((line) => line.includes('503'))).toHaveLength(1);
  });

  it('does not repeat an identical line', () => {
    const view = createLiveView('lines', note, process.stderr);
    for (let step = 0; step < 10; step++) {
      view.show('x', sent(1, { state: 'waiting' }), 'id-x');
      vi.advanceTimersByTime(5000);
    }
    expect(lines).toEqual(['x: 1% · 1 MiB of 100 MiB · waiting']);
  });

  it('prints another problem of the same upload', () => {
    const view = createLiveView('lines', note, process.stderr);
    view.show('x', sent(1, {}, trouble), 'id-x');
    view.show('x', sent(1, {}, { ...trouble, message: 'it is gone' }), 'id-x');
    expect(lines).toContain('x: it is gone. Retrying.');
  });

  it('does not report a worker that releases its parts', () => {
    const view = createLiveView('lines', note, process.stderr);
    view.show('x', sent(1, {}, { ...trouble, failureType: 'WorkerStopping' }), 'id-x');
    expect(lines).toEqual(['x: 1% · 1 MiB of 100 MiB']);
  });

  it('reports that neither a worker nor Temporal responds', () => {
    const view = createLiveView('lines', note, process.stderr);
    view.show('x', { type: 'no-answer', reason: 'deadline' }, 'id-x');
    view.show('x', { type: 'no-answer', reason: 'deadline' }, 'id-x');
    expect(lines).toEqual(['x: waiting for a response from a worker or Temporal']);
  });

  it('prints nothing at the end', () => {
    const view = createLiveView('lines', note, process.stderr);
    view.show('x', { type: 'ended', status: 'COMPLETED' }, 'id-x');
    view.close();
    expect(lines).toEqual([]);
  });
});

describe('quiet progress', () => {
  it('prints only the waiting reason, once', () => {
    const view = createLiveView('quiet', note, process.stderr);
    view.show('x', sent(1, {}, trouble), 'id-x');
    view.show('x', { type: 'no-answer', reason: 'deadline' }, 'id-x');
    expect(lines).toEqual([]);
    const waiting = { reason: 'the key is rejected', failureType: 'ApiRejected', sinceMs: 0, nextProbeAtMs: 1 };
    view.show('x', sent(1, { state: 'waiting', waiting }), 'id-x');
    view.show('x', sent(1, { state: 'waiting', waiting }), 'id-x');
    view.close();
    expect(lines).toEqual([
      'x: waiting: the key is rejected. Retries automatically. To retry now, run "longhaul retry id-x".',
    ]);
  });
});

describe('progress in bars', () => {
  it('writes nothing without a terminal, and stops', () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const view = createLiveView('bars', note, process.stderr);
    view.show('x', sent(1, {}, trouble), 'id-x');
    view.show('x', { type: 'no-answer', reason: 'deadline' }, 'id-x');
    view.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(lines).toEqual([]);
    write.mockRestore();
  });
});
