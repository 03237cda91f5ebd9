import { describe, expect, it } from 'vitest';
import { FailureType, type PiecesFailedDetails } from '../../src/contracts/failures.ts';
import type { SplitUploadProgress, SplitUploadResult } from '../../src/contracts/split.ts';
import { CALM, type Plan } from './plan.ts';
import { act, calls, MiB, MINUTE, run, SECOND, status } from './scenario.ts';

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

  it('resumes with the same sessions after its workers are killed', async () => {
    const seen = await run<SplitUploadProgress>({
      ...split,
      style: { ...CALM.style, isStrict: false },
      actions: [0, 1].map((worker) => act({ call: 'addPart', nth: 5, plusMs: 20 }, { kind: 'kill-worker', worker })),
    });
    expect((seen.result as SplitUploadResult).files).toHaveLength(3);
    expect(seen.statuses).toEqual(['completed', 'completed', 'completed']);
  });

  it('fails with SourceChanged for all pieces if its source changes between two pieces', async () => {
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
