import { describe, expect, it } from 'vitest';
import { FailureType } from '../../src/contracts/failures.ts';
import type { PiecesFailedDetails } from '../../src/contracts/failures.ts';
import type { SplitUploadProgress, SplitUploadResult } from '../../src/contracts/split.ts';
import type { SyncProgress, SyncResult } from '../../src/contracts/sync.ts';
import type { UploadProgress } from '../../src/contracts/upload.ts';
import { valueOf } from './payloads.ts';
import { CALM, type Action, type Call, type Plan, type PlannedAction, type When } from './plan.ts';
import { simulate, type Outcome, type Progress } from './simulate.ts';

const MiB = 1024 * 1024;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

interface Seen<P> extends Outcome {
  /** After each activation of the workflow. */
  readonly progress: readonly (P & { readonly atMs: number })[];
  readonly result: unknown;
  readonly failure: { readonly type: string | undefined; readonly message: string; readonly details: unknown };
  /** Of all sessions, in the order in which they were opened. */
  readonly statuses: readonly string[];
}

/** Runs a plan that keeps every rule. */
async function run<P extends Progress = UploadProgress>(plan: Partial<Plan>): Promise<Seen<P>> {
  const progress: (P & { atMs: number })[] = [];
  const outcome = await simulate({ ...CALM, ...plan }, (seen, nowMs) => progress.push({ ...(seen as P), atMs: nowMs }));
  const { violations, trace, close, service } = outcome;
  expect(violations, trace.join('\n')).toEqual([]);
  const failed = close?.status === 'failed' ? close.failure : undefined;
  return {
    ...outcome,
    progress,
    result: close?.status === 'completed' ? valueOf(close.result) : undefined,
    failure: {
      type: failed?.applicationFailureInfo?.type ?? undefined,
      message: failed?.message ?? '',
      details: valueOf(failed?.applicationFailureInfo?.details?.payloads?.[0]),
    },
    statuses: [...service.sessions.values()].map((session) => service.statusOf(session)),
  };
}

const act = (when: When, action: Action): PlannedAction => ({ when, action });
const status = (code: number, retryAfterMs?: number) => ({ kind: 'status', status: code, retryAfterMs }) as const;
const during = (call: Call, fault: ReturnType<typeof status>, forMs: number, fromMs = 0) => ({
  call,
  fromMs,
  forMs,
  fault,
});
const calls = ({ trace }: Outcome, text: string) => trace.filter((line) => line.includes(text));

describe('an upload', () => {
  it('waits for a source that is missing, and resumes in the same session when it is restored', async () => {
    const { progress, result } = await run({
      actions: [
        act({ call: 'addPart', nth: 3, plusMs: 0 }, { kind: 'hide-source', problem: 'missing', forMs: 10 * MINUTE }),
        act({ atMs: 12 * MINUTE }, { kind: 'retry' }),
      ],
    });
    const waiting = progress.find(({ state }) => state === 'waiting')?.waiting;
    expect(waiting).toMatchObject({ failureType: FailureType.SourceMissing });
    expect(waiting?.reason).toMatch(/Restore it\./);
    expect(result).toMatchObject({ sessions: 1, parts: 12 });
  });

  it('replaces a session that expires during a pause before a part is rejected', async () => {
    const seen = await run({
      actions: [
        act({ call: 'addPart', nth: 2, plusMs: 0 }, { kind: 'pause', parts: 'finish' }),
        act({ atMs: HOUR + MINUTE }, { kind: 'resume' }),
      ],
    });
    expect(seen.result).toMatchObject({ sessions: 2 });
    expect(seen.statuses).toEqual(['expired', 'completed']);
    // Only the cancellation of the old session.
    expect(calls(seen, 'was rejected').filter((line) => line.includes('addPart'))).toEqual([]);
  });

  it('does not open a second session if it is cancelled while it completes', async () => {
    const seen = await run({
      callMs: [1500, 1500],
      actions: [act({ call: 'completeUpload', nth: 1, plusMs: 500 }, { kind: 'cancel' })],
    });
    expect(seen.close?.status).toBe('completed');
    expect(seen.statuses).toEqual(['completed']);
    // The call itself is not cancelled: its response is the File.
    expect(calls(seen, 'aborted')).toEqual([]);
    expect(calls(seen, 'listFiles')).toEqual([]);
  });

  it.each<[string, number]>([
    ['is written to', 12 * MiB],
    ['is truncated', 5 * MiB],
  ])('fails with SourceChanged if its source %s, and completes nothing', async (_, sizeBytes) => {
    const seen = await run({
      actions: [act({ call: 'addPart', nth: 5, plusMs: 0 }, { kind: 'edit-source', sizeBytes })],
    });
    expect(seen.failure.type).toBe(FailureType.SourceChanged);
    expect(seen.statuses).toEqual(['cancelled']);
    expect(calls(seen, 'completeUpload')).toEqual([]);
  });

  it('fails with the message of the service if its only session has other bytes than the source', async () => {
    const seen = await run({
      request: { ...CALM.request, maxSessions: 1 },
      faults: [{ call: 'addPart', nth: 2, fault: { kind: 'damaged' } }],
    });
    expect(seen.failure).toMatchObject({
      type: FailureType.ApiRejected,
      message: expect.stringMatching(/md5 of the named Parts is [0-9a-f]{32}, not [0-9a-f]{32}/),
    });
    expect(seen.statuses).toEqual(['cancelled']);
  });

  it('changes its search attributes a few times, independently of the number of parts', async () => {
    const { execution, result } = await run({
      sizeBytes: 128 * MiB,
      request: { partSizeBytes: MiB, concurrency: 8 },
      hasAttributes: true,
      partMs: [50, 200],
    });
    expect(result).toMatchObject({ parts: 128 });
    expect(execution.upserts).toBeGreaterThan(15);
    expect(execution.upserts).toBeLessThanOrEqual(25);
  });
});

describe('an upload whose destination has other limits', () => {
  const limits = { minPartSizeBytes: 2 * MiB, maxPartSizeBytes: 4 * MiB, maxParts: 4 };

  it('sends larger parts than requested if the requested ones are too many', async () => {
    const { result } = await run({ request: { partSizeBytes: 2 * MiB }, limits });
    expect(result).toMatchObject({ parts: 4, partSizeBytes: 3 * MiB });
  });

  it('sends no smaller parts than permitted after a rejection (413)', async () => {
    const { failure, statuses } = await run({
      sizeBytes: 7 * MiB,
      request: { partSizeBytes: 3 * MiB },
      limits,
      outages: [during('addPart', status(413), HOUR)],
    });
    expect(failure.type).toBe(FailureType.ApiRejected);
    expect(statuses).toEqual(['cancelled', 'cancelled']);
  });

  it('rejects a retune to parts that it does not permit', async () => {
    const seen = await run({
      request: { partSizeBytes: 2 * MiB },
      limits,
      actions: [
        act({ call: 'addPart', nth: 1, plusMs: 0 }, { kind: 'retune', input: { partSizeBytes: 5 * MiB } }),
        act({ call: 'addPart', nth: 1, plusMs: 5 }, { kind: 'retune', input: { partSizeBytes: 4 * MiB } }),
      ],
    });
    expect(calls(seen, 'retune was rejected')).toEqual([
      expect.stringMatching(/"partSizeBytes" must be from 2097152 to 4194304 for this destination and purpose/),
    ]);
    expect(calls(seen, 'retune was completed')).toHaveLength(1);
  });

  it('cuts the pieces of a split upload within them', async () => {
    const split = { sizeBytes: 9 * MiB, pieces: 3, request: { partSizeBytes: 2 * MiB } };
    const seen = await run<SplitUploadProgress>({ ...split, limits: { ...limits, maxParts: 1 } });
    expect((seen.result as SplitUploadResult).pieces.map(({ parts }) => parts)).toEqual([1, 1, 1]);
    expect(seen.progress.at(-1)).toMatchObject({ partsTotal: 3, partsDone: 3 });
  });
});

describe('an upload whose service', () => {
  it.each<Call>(['createUpload', 'addPart', 'completeUpload'])(
    'requests a pause of two days at %s waits with the time of the service, and resumes at retry',
    async (call) => {
      const { progress, result } = await run({
        outages: [during(call, status(429, 198_300 * SECOND), MINUTE)],
        actions: [act({ atMs: 2 * MINUTE }, { kind: 'retry' })],
      });
      const { waiting, atMs = 0 } = progress.find(({ state }) => state === 'waiting') ?? {};
      expect(waiting).toMatchObject({ failureType: FailureType.ApiUnavailable, status: 429 });
      expect(waiting?.reason).toMatch(/requested a pause until \d{4}-\d\d-\d\dT.*429/);
      expect((waiting?.retryAtMs ?? 0) - atMs).toBeGreaterThan(198_000 * SECOND);
      expect((waiting?.nextProbeAtMs ?? 0) - atMs).toBeGreaterThan(3500 * SECOND);
      expect((waiting?.nextProbeAtMs ?? 0) - atMs).toBeLessThanOrEqual(HOUR);
      expect(result).toMatchObject({ sessions: 1, parts: 12 });
      expect(progress.at(-1)?.atMs).toBeLessThan((progress[0]?.atMs ?? 0) + 5 * MINUTE);
    },
  );

  it('requests a pause longer than the retry period makes its last attempt when that period ends', async () => {
    const { result, virtualMs } = await run({
      request: { ...CALM.request, giveUpAfterMs: 90 * SECOND },
      outages: [during('createUpload', status(503, HOUR), 80 * SECOND)],
    });
    expect(result).toMatchObject({ sessions: 1 });
    expect(virtualMs).toBeGreaterThan(90 * SECOND);
    expect(virtualMs).toBeLessThan(200 * SECOND);
  });

  it('rejects large parts (413) sends smaller parts in new sessions, which do not count', async () => {
    const { result } = await run({
      sizeBytes: 9 * MiB,
      request: { partSizeBytes: 8 * MiB, concurrency: 4, maxSessions: 1 },
      style: { ...CALM.style, maxPartBytes: 2.5 * MiB },
    });
    expect(result).toMatchObject({ sessions: 3, parts: 5, partSizeBytes: 2 * MiB });
  });

  it('rejects even the smallest parts (413) fails', async () => {
    const { failure, statuses } = await run({
      sizeBytes: 3 * MiB,
      request: { partSizeBytes: 2 * MiB },
      outages: [during('addPart', status(413), HOUR)],
    });
    expect(failure.type).toBe(FailureType.ApiRejected);
    expect(statuses).toEqual(['cancelled', 'cancelled']);
  });

  it('rejects all parts in flight (400), as another client has cancelled the session, opens one session', async () => {
    const { result } = await run({
      faults: [{ call: 'addPart', nth: 2, fault: { kind: 'session-ends', status: 'cancelled' } }],
    });
    expect(result).toMatchObject({ sessions: 2 });
  });

  it('rejects the parts of two sessions (400) fails with the message of the service', async () => {
    const { failure, statuses } = await run({
      request: { partSizeBytes: MiB, concurrency: 1 },
      outages: [during('addPart', status(400), HOUR)],
    });
    expect(failure).toMatchObject({
      type: FailureType.ApiRejected,
      message: expect.stringContaining('injected, while addPart'),
    });
    expect(statuses).toEqual(['cancelled', 'cancelled']);
  });
});

describe('a split upload', () => {
  const split: Partial<Plan> = {
    sizeBytes: 9 * MiB,
    pieces: 3,
    request: { partSizeBytes: MiB, concurrency: 2 },
    hasAttributes: true,
  };

  it('keeps a pause that waits for a part when its workers stop', async () => {
    const seen = await run<SplitUploadProgress>({
      ...split,
      partMs: [20 * SECOND, 30 * SECOND],
      actions: [
        act({ call: 'addPart', nth: 2, plusMs: SECOND }, { kind: 'pause', parts: 'finish' }),
        ...[0, 1].map((worker) =>
          act({ call: 'addPart', nth: 2, plusMs: 2 * SECOND }, { kind: 'stop-worker', worker }),
        ),
        act({ atMs: 20 * MINUTE }, { kind: 'resume' }),
      ],
    });
    expect(calls(seen, 'pause was completed'), seen.trace.join('\n')).toHaveLength(1);
    const paused = seen.progress.filter(({ state }) => state === 'paused');
    expect(paused.at(-1)).toMatchObject({ partsInFlight: 0, partsTotal: 9 });
    expect((seen.result as SplitUploadResult).files).toHaveLength(3);
  });

  it('resumes where it was when its workers are killed', async () => {
    const seen = await run<SplitUploadProgress>({
      ...split,
      style: { ...CALM.style, isStrict: false },
      actions: [0, 1].map((worker) => act({ call: 'addPart', nth: 5, plusMs: 20 }, { kind: 'kill-worker', worker })),
    });
    expect((seen.result as SplitUploadResult).files).toHaveLength(3);
    expect(seen.statuses).toEqual(['completed', 'completed', 'completed']);
  });

  it('fails with SourceChanged for all pieces if its source changes between two', async () => {
    const seen = await run<SplitUploadProgress>({
      ...split,
      actions: [act({ call: 'endPiece', nth: 1, plusMs: 0 }, { kind: 'edit-source' })],
    });
    expect(seen.failure.type).toBe(FailureType.SourceChanged);
    const { pieces = [] } = (seen.failure.details ?? {}) as Partial<PiecesFailedDetails>;
    expect(pieces.map(({ state }) => state)).toEqual(['completed', 'failed', 'pending']);
    expect(seen.statuses).not.toContain('pending');
  });

  it('cancels the session of its piece, and starts no other piece, if it is cancelled', async () => {
    const seen = await run<SplitUploadProgress>({
      ...split,
      actions: [act({ call: 'addPart', nth: 2, plusMs: 50 }, { kind: 'cancel' })],
    });
    expect(seen.close?.status).toBe('cancelled');
    expect(seen.statuses).toEqual(['cancelled']);
  });

  it('waits while its piece waits, and passes a retry on to it', async () => {
    const seen = await run<SplitUploadProgress>({
      ...split,
      faults: [{ call: 'createUpload', nth: 2, fault: status(401) }],
      actions: [act({ atMs: MINUTE }, { kind: 'retry' })],
    });
    const waits = seen.progress.find(({ state }) => state === 'waiting');
    expect(waits?.waiting?.reason).toMatch(/rejects the key/);
    expect((seen.result as SplitUploadResult).files).toHaveLength(3);
    expect(seen.virtualMs).toBeLessThan(3 * MINUTE);
  });
});

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

  it('sends no further file while it is paused, and uses the sessions of its batch after it', async () => {
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

  it('probes with one file at retry, and reports files that changed while all waited', async () => {
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

  it('ends its uploads and their sessions if it is cancelled', async () => {
    const seen = await run<SyncProgress>({
      folder: folder([...small(3), ...large(1, 12 * MiB)]),
      request: { concurrency: 2 },
      actions: [act({ call: 'addPart', nth: 2, plusMs: 10 }, { kind: 'cancel' })],
    });
    expect(seen.close?.status).toBe('cancelled');
    expect(statusesOfFirstRun(seen)).toContain('cancelled');
    expect(statusesOfFirstRun(seen)).not.toContain('pending');
  });

  it('sends all of 120 small files to a service that rejects each third call (429)', async () => {
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
});
