import { describe, expect, it } from 'vitest';
import { FailureType } from '../../src/contracts/failures.ts';
import type { SplitUploadProgress, SplitUploadResult } from '../../src/contracts/split.ts';
import { CALM, type Call, type Plan } from './plan.ts';
import { act, calls, during, HOUR, MiB, MINUTE, run, SECOND, status } from './scenario.ts';

describe('an upload', () => {
  it('waits for a missing source, and resumes in the same session when it is restored', async () => {
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

  it('repeats a call once if it fails after a retry arrived while it was in flight', async () => {
    const seen = await run({
      callMs: [1000, 1000],
      faults: [{ call: 'createUpload', nth: 1, fault: status(403) }],
      actions: [act({ call: 'createUpload', nth: 1, plusMs: 500 }, { kind: 'retry' })],
    });
    expect(seen.progress.find(({ state }) => state === 'waiting')?.waiting).toMatchObject({ status: 403 });
    expect(seen.result).toMatchObject({ sessions: 1 });
    // The interval of automatic retries.
    expect(seen.virtualMs).toBeLessThan(5 * MINUTE);
  });

  it('opens another session if a completion is rejected while its worker shuts down', async () => {
    const seen = await run({
      callMs: [2500, 2500],
      faults: [{ call: 'completeUpload', nth: 1, fault: status(404) }],
      actions: [0, 1].map((worker) =>
        act({ call: 'completeUpload', nth: 1, plusMs: SECOND }, { kind: 'stop-worker', worker }),
      ),
    });
    expect(seen.statuses).toEqual(['cancelled', 'completed']);
    expect(calls(seen, 'listFiles')).toEqual([]);
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

  it('fails with the service message if its only session differs from the source', async () => {
    const seen = await run({
      request: { ...CALM.request, maxSessions: 1 },
      faults: [{ call: 'addPart', nth: 2, fault: { kind: 'damaged' } }],
    });
    expect(seen.failure).toMatchObject({
      type: FailureType.ApiRejected,
      message: expect.stringMatching(
        /md5 of the named Parts is [0-9a-f]{32}, not [0-9a-f]{32}.* No File was created\. Start a new upload\.$/,
      ),
    });
    expect(seen.statuses).toEqual(['cancelled']);
  });

  it('updates its search attributes a few times, regardless of the number of parts', async () => {
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

  it('sends larger parts than requested if there would be too many parts', async () => {
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

  it('rejects a retune to a part size that it does not permit', async () => {
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

  it('cuts the pieces of a split upload within these limits', async () => {
    const split = { sizeBytes: 9 * MiB, pieces: 3, request: { partSizeBytes: 2 * MiB } };
    const seen = await run<SplitUploadProgress>({ ...split, limits: { ...limits, maxParts: 1 } });
    expect((seen.result as SplitUploadResult).pieces.map(({ parts }) => parts)).toEqual([1, 1, 1]);
    expect(seen.progress.at(-1)).toMatchObject({ partsTotal: 3, partsDone: 3 });
  });
});

describe('an upload whose service', () => {
  it.each<Call>(['createUpload', 'addPart', 'completeUpload'])(
    'requests a pause of two days at %s waits until then, and resumes at a retry',
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

  it('requests a pause longer than the retry period makes a last attempt at its end', async () => {
    const { result, virtualMs } = await run({
      request: { ...CALM.request, giveUpAfterMs: 90 * SECOND },
      outages: [during('createUpload', status(503, HOUR), 80 * SECOND)],
    });
    expect(result).toMatchObject({ sessions: 1 });
    expect(virtualMs).toBeGreaterThan(90 * SECOND);
    expect(virtualMs).toBeLessThan(200 * SECOND);
  });

  it('shows a new File only in its third list completes after a lost response', async () => {
    const seen = await run({
      style: { ...CALM.style, listLagRequests: 2 },
      faults: [{ call: 'completeUpload', nth: 1, fault: { kind: 'lost' } }],
    });
    expect(seen.result).toMatchObject({ sessions: 1 });
    expect(seen.statuses).toEqual(['completed']);
    expect(calls(seen, 'listFiles'), seen.trace.join('\n')).toHaveLength(3);
  });

  it('rejects large parts (413) sends smaller parts in sessions that do not count', async () => {
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

  it('rejects all parts in flight (400) of a cancelled session opens one new session', async () => {
    const { result } = await run({
      faults: [{ call: 'addPart', nth: 2, fault: { kind: 'session-ends', status: 'cancelled' } }],
    });
    expect(result).toMatchObject({ sessions: 2 });
  });

  it.each<[string, Partial<Plan>, readonly string[]]>([
    [
      'ends a session early',
      { faults: [{ call: 'addPart', nth: 3, fault: { kind: 'session-ends', status: 'expired' } }] },
      ['expired', 'completed'],
    ],
    [
      'counts a part twice, because its first response was lost,',
      { faults: [{ call: 'addPart', nth: 2, fault: { kind: 'lost' } }] },
      ['cancelled', 'completed'],
    ],
  ])('%s resends all parts in a second session', async (_, plan, statuses) => {
    const seen = await run({ request: { partSizeBytes: MiB, concurrency: 1 }, ...plan });
    expect(seen.result).toMatchObject({ sessions: 2, parts: 12 });
    expect(seen.statuses).toEqual(statuses);
  });

  it('ends every session early opens no more sessions than permitted', async () => {
    const seen = await run({
      request: { partSizeBytes: MiB, concurrency: 1, maxSessions: 2 },
      faults: [2, 4].map((nth) => ({ call: 'addPart', nth, fault: { kind: 'session-ends', status: 'expired' } })),
    });
    expect(seen.failure.type).toBe(FailureType.SessionLost);
    expect(seen.statuses).toEqual(['expired', 'expired']);
  });

  it('has cancelled the only permitted session fails with the message of the service', async () => {
    const seen = await run({
      request: { partSizeBytes: MiB, concurrency: 1, maxSessions: 1 },
      faults: [{ call: 'addPart', nth: 2, fault: { kind: 'session-ends', status: 'cancelled' } }],
    });
    expect(seen.failure).toMatchObject({
      type: FailureType.SessionLost,
      message: expect.stringContaining('the only session of this upload is lost'),
    });
  });

  it('rejects a part (422) fails and cancels its session', async () => {
    const seen = await run({ faults: [{ call: 'addPart', nth: 1, fault: status(422) }] });
    expect(seen.failure.type).toBe(FailureType.ApiRejected);
    expect(seen.statuses).toEqual(['cancelled']);
  });

  it('requests no pause (429, Retry-After: 0) resends the parts in the same session', async () => {
    const faults = [1, 2, 3].map((nth) => ({ call: 'addPart' as const, nth, fault: status(429, 0) }));
    const { result } = await run({ sizeBytes: 3 * MiB, faults });
    expect(result).toMatchObject({ sessions: 1, parts: 3, partsSent: 6 });
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
