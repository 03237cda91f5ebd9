import { describe, expect, it } from 'vitest';
import type { SyncProgress, SyncResult } from '../../src/contracts/sync.ts';
import { CALM, type Plan } from './plan.ts';
import { act, calls, during, MiB, MINUTE, run, SECOND, status, type Seen } from './scenario.ts';
import type { Outcome } from './simulate.ts';

describe('a sync', () => {
  const small = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ path: `${String(index).padStart(3, '0')}.txt`, sizeBytes: 10 }));
  const large = (count: number, sizeBytes = 3 * MiB) =>
    Array.from({ length: count }, (_, index) => ({ path: `large-${index}.bin`, sizeBytes: sizeBytes + index }));
  const folder = (
    files: NonNullable<Plan['folder']>['files'],
    maxConcurrentUploads = 2,
  ): NonNullable<Plan['folder']> => ({
    files,
    deletes: false,
    maxConcurrentUploads,
    batchFiles: 200,
  });
  /** The trace of the run that the plan is about, without the calm runs after it. */
  const firstRun = ({ trace }: Outcome) =>
    trace.slice(
      0,
      trace.findIndex((line) => line.endsWith('run 2')),
    );
  const statusesOfFirstRun = (seen: Seen<SyncProgress>) => {
    const opened = firstRun(seen).filter((line) => line.endsWith('createUpload')).length;
    return seen.statuses.slice(0, opened);
  };

  it('sends no file during a pause, and then uses the open sessions of its batch', async () => {
    const seen = await run<SyncProgress>({
      folder: folder(small(30)),
      request: {},
      callMs: [250, 250],
      partMs: [250, 250],
      actions: [
        act({ call: 'completeUpload', nth: 3, plusMs: 0 }, { kind: 'pause', parts: 'finish' }),
        act({ atMs: 10 * MINUTE }, { kind: 'resume' }),
      ],
    });
    const paused = seen.progress.filter(({ state }) => state === 'paused').at(-1);
    expect(paused).toMatchObject({ uploading: [] });
    expect(paused?.counts.sent.files).toBeLessThan(30);
    expect((seen.result as SyncResult).counts.sent.files).toBe(30);
    expect(statusesOfFirstRun(seen)).toEqual(Array(30).fill('completed'));
  });

  it('does not resend a file that is touched after a worker kill during its completion', async () => {
    const kill = (worker: number) =>
      act({ call: 'completeUpload', nth: 1, plusMs: 1500 }, { kind: 'kill-worker', worker });
    const seen = await run<SyncProgress>({
      folder: folder(small(1)),
      request: {},
      callMs: [2 * SECOND, 2 * SECOND],
      actions: [
        kill(0),
        kill(1),
        act(
          { call: 'completeUpload', nth: 1, plusMs: 4 * SECOND },
          { kind: 'edit-folder', edit: 'touch', path: '000.txt' },
        ),
      ],
    });
    // The calm run after it compares the MD5.
    expect(calls(seen, 'of a lost worker and arrived')).toHaveLength(1);
    expect(calls(seen, 'addPart')).toHaveLength(1);
    expect(seen.service.files.size).toBe(1);
  });

  it('continues as new if its history is long, with one list and a session per file', async () => {
    const files = [...small(80), ...large(1)];
    const plan = { folder: folder(files, 1), request: {}, suggestAfterEvents: 20 };
    const seen = await run<SyncProgress>(plan);
    const ofFirst = (text: string) => firstRun(seen).filter((line) => line.includes(text));
    expect(ofFirst('continued').length).toBeGreaterThan(0);
    expect(ofFirst('listFiles')).toHaveLength(1);
    expect(statusesOfFirstRun(seen)).toEqual(Array(81).fill('completed'));
    expect((seen.result as SyncResult).counts).toMatchObject({ sent: { files: 81 }, toSend: { files: 81 }, failed: 0 });
  });

  it('probes with one file at a retry, and reports files that changed during the wait', async () => {
    const changed = small(6).slice(0, 5);
    const seen = await run<SyncProgress>({
      folder: folder(small(6), 5),
      request: {},
      outages: [during('createUpload', status(401), 2 * MINUTE)],
      actions: [
        act({ atMs: MINUTE }, { kind: 'retry' }),
        ...changed.map(({ path }) =>
          act({ atMs: 90 * SECOND }, { kind: 'edit-folder', edit: 'change', path, sizeBytes: 28 }),
        ),
        act({ atMs: 3 * MINUTE }, { kind: 'retry' }),
      ],
    });
    const waits = seen.progress.find(({ state }) => state === 'waiting');
    expect(waits?.waiting?.reason).toMatch(/rejects the key/);
    // One call before the retry and one after it, with a lane of the batch each.
    expect(calls(seen, 'openBatch 3 ended: ApiRejected')).toHaveLength(1);
    expect(calls(seen, 'openBatch 4 ended: ApiRejected')).toHaveLength(1);
    expect(calls(seen, 'the service returns 401').length).toBeLessThanOrEqual(4);
    const { counts, postponed = [], durationMs } = seen.result as SyncResult;
    expect(counts).toMatchObject({ sent: { files: 1 }, failed: 0, postponed: 5 });
    expect(postponed.map(({ path }) => path).toSorted()).toEqual(changed.map(({ path }) => path));
    expect(durationMs).toBeLessThan(4 * MINUTE);
  });

  it('retries small files that wait for a continue-as-new while a large file is sent', async () => {
    const seen = await run<SyncProgress>({
      folder: folder([...small(1), ...large(1, 8 * MiB)]),
      request: { partSizeBytes: MiB, concurrency: 1 },
      partMs: [4 * MINUTE, 4 * MINUTE],
      suggestAfterEvents: 30,
      // The first calls for the small file, and one for the large file.
      faults: [1, 2, 3, 4].map((nth) => ({ call: 'createUpload' as const, nth, fault: status(401) })),
      actions: [act({ atMs: 12 * MINUTE }, { kind: 'retry' })],
    });
    const first = firstRun(seen);
    const of = (events: RegExp) => first.flatMap((line) => events.exec(line)?.[0] ?? []);
    expect(of(/openBatch .*|retry was completed|upload-large.* ended: completed/), first.join('\n')).toEqual([
      expect.stringMatching(/^openBatch 3 ended: ApiRejected/),
      expect.stringMatching(/^openBatch 4 ended: ApiRejected/),
      'retry was completed',
      expect.stringMatching(/^openBatch \d+ ended: completed/),
      expect.stringMatching(/^upload-large.* ended: completed/),
    ]);
    expect((seen.result as SyncResult).counts.sent.files).toBe(2);
  });

  it('passes retry, pause and resume on to its uploads, and waits if all of them wait', async () => {
    const seen = await run<SyncProgress>({
      folder: folder(large(1)),
      request: { concurrency: 1 },
      partMs: [10 * SECOND, 10 * SECOND],
      faults: [{ call: 'createUpload', nth: 1, fault: status(401) }],
      actions: [
        act({ atMs: MINUTE }, { kind: 'retry' }),
        act({ atMs: 65 * SECOND }, { kind: 'pause', parts: 'stop' }),
        act({ atMs: 10 * MINUTE }, { kind: 'resume' }),
      ],
    });
    expect(seen.progress.find(({ state }) => state === 'waiting')?.waiting?.reason).toMatch(/rejects the key/);
    expect(seen.progress.filter(({ state }) => state === 'paused').at(-1)).toMatchObject({ uploading: [] });
    expect(calls(seen, 'addPart').some((line) => line.includes('was aborted'))).toBe(true);
    expect((seen.result as SyncResult).counts.sent.files).toBe(1);
  });

  it('cancels its uploads and their sessions if it is cancelled', async () => {
    const seen = await run<SyncProgress>({
      folder: folder([...small(3), ...large(1, 12 * MiB)]),
      request: { concurrency: 2 },
      actions: [act({ call: 'addPart', nth: 2, plusMs: 10 }, { kind: 'cancel' })],
    });
    expect(seen.close?.status).toBe('cancelled');
    expect(statusesOfFirstRun(seen)).toContain('cancelled');
    expect(statusesOfFirstRun(seen)).not.toContain('pending');
  });

  it('sends all of 120 small files to a service that rejects every third call (429)', async () => {
    const limited = (['createUpload', 'addPart', 'completeUpload'] as const).flatMap((call) =>
      Array.from({ length: 120 }, (_, index) => ({ call, nth: 3 * index + 1, fault: status(429, 20) })),
    );
    const seen = await run<SyncProgress>({ folder: folder(small(120), 40), request: {}, faults: limited });
    expect((seen.result as SyncResult).counts).toMatchObject({ sent: { files: 120 }, failed: 0 });
    expect(statusesOfFirstRun(seen).length).toBeLessThan(124);
  });

  it.each([
    ['once (400) sends it in a new session', 1, { sent: { files: 1 }, failed: 0 }],
    ['twice (400) fails', 2, { sent: { files: 0 }, failed: 1 }],
  ])('whose small file is rejected %s', async (_, times, counts) => {
    const faults = Array.from({ length: times }, (__, index) => ({
      call: 'addPart' as const,
      nth: index + 1,
      fault: status(400),
    }));
    const seen = await run<SyncProgress>({ folder: folder(small(1)), request: {}, faults });
    expect((seen.result as SyncResult).counts).toMatchObject(counts);
  });

  it('uses the part size that the service accepts for all its large files', async () => {
    const seen = await run<SyncProgress>({
      folder: folder(large(2), 1),
      request: {},
      style: { ...CALM.style, maxPartBytes: 2 * MiB },
    });
    expect((seen.result as SyncResult).counts.sent.files).toBe(2);
    expect(seen.statuses).toEqual(['cancelled', 'completed', 'completed']);
  });

  it.each(['unreadable', 'missing'] as const)('whose whole source is %s waits, and no file fails', async (problem) => {
    const seen = await run<SyncProgress>({
      folder: folder([...small(6), ...large(1)], 1),
      request: {},
      actions: [
        act({ call: 'addPart', nth: 3, plusMs: 0 }, { kind: 'hide-source', problem, forMs: 20 * MINUTE }),
        act({ atMs: 21 * MINUTE }, { kind: 'retry' }),
      ],
    });
    const waits = seen.progress.find(({ state }) => state === 'waiting');
    expect(waits?.waiting?.failureType).toBe(problem === 'missing' ? 'SourceMissing' : 'SourceUnavailable');
    expect((seen.result as SyncResult).counts).toMatchObject({ sent: { files: 7 }, failed: 0 });
  });

  it('reports files that were deleted after it listed them, and sends all others', async () => {
    const removed = ['000.txt', '003.txt', 'large-0.bin'];
    const seen = await run<SyncProgress>({
      folder: folder([...small(6), ...large(2)], 1),
      request: {},
      actions: removed.map((path) =>
        act({ call: 'createUpload', nth: 1, plusMs: 0 }, { kind: 'edit-folder', edit: 'remove', path }),
      ),
    });
    const { counts, problems } = seen.result as SyncResult;
    expect(counts).toMatchObject({ sent: { files: 5 }, failed: 3 });
    expect(problems.map(({ path, failureType }) => `${path} ${failureType}`).toSorted()).toEqual(
      removed.map((path) => `${path} SourceMissing`),
    );
  });

  it('deletes nothing while it is paused, also if a deletion waited before', async () => {
    const removed = { call: 'completeUpload', nth: 2, plusMs: 60 } as const;
    const seen = await run<SyncProgress>({
      folder: { ...folder(small(2), 1), deletes: true },
      request: { md5: false },
      callMs: [50, 50],
      faults: [{ call: 'deleteFile', nth: 1, fault: status(403) }],
      actions: [
        act(removed, { kind: 'edit-folder', edit: 'remove', path: '000.txt' }),
        // So that the source is listed again.
        ...[0, 1].map((worker) => act(removed, { kind: 'stop-worker', worker })),
        act({ call: 'deleteFile', nth: 1, plusMs: 10 * SECOND }, { kind: 'pause', parts: 'finish' }),
        act({ call: 'deleteFile', nth: 1, plusMs: MINUTE }, { kind: 'retry' }),
        // One workflow task handles both.
        act({ call: 'deleteFile', nth: 1, plusMs: 10 * MINUTE }, { kind: 'resume' }),
        act({ call: 'deleteFile', nth: 1, plusMs: 10 * MINUTE }, { kind: 'pause', parts: 'finish' }),
        act({ call: 'deleteFile', nth: 1, plusMs: 20 * MINUTE }, { kind: 'resume' }),
      ],
    });
    expect(calls(seen, 'pause was completed')).toHaveLength(2);
    expect((seen.result as SyncResult).counts.deleted, seen.trace.join('\n')).toBe(1);
    expect(seen.virtualMs).toBeGreaterThan(20 * MINUTE);
  });
});
