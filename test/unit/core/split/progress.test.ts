import { describe, expect, it } from 'vitest';
import type { SplitUploadProgress } from '../../../../src/contracts/split.ts';
import type { UploadProgress } from '../../../../src/contracts/upload.ts';
import { describeSplitProgress, pieceUnderWay, withPieceProgress } from '../../../../src/core/split/progress.ts';

const MiB = 1024 * 1024;
const waiting = { reason: 'the service rejects the key', failureType: 'ApiRejected', sinceMs: 1, nextProbeAtMs: 2 };

const base: UploadProgress = {
  kind: 'upload',
  state: 'uploading',
  filename: 'x.jsonl',
  bytesTotal: 8 * MiB,
  bytesDone: 4 * MiB,
  partSizeBytes: MiB,
  partsTotal: 8,
  partsDone: 4,
  partsInFlight: 0,
  concurrency: 16,
  limit: null,
  session: null,
  sessionEndsTooEarly: false,
  waiting: null,
  sessionsOpened: 1,
  orphanedSessions: 0,
  md5: null,
  startedAtMs: 0,
};

const pieceOf = (number: number, state: 'completed' | 'uploading' | 'failed') => ({
  number,
  filename: `x-${number}`,
  workflowId: `w-${number}`,
  range: { offsetBytes: 0, sizeBytes: 4 * MiB },
  state,
});

const split: SplitUploadProgress = {
  ...base,
  kind: 'split',
  pieces: [pieceOf(1, 'completed'), pieceOf(2, 'uploading')],
};
const piece: UploadProgress = {
  ...base,
  bytesTotal: 4 * MiB,
  bytesDone: 2 * MiB,
  partSizeBytes: 2 * MiB,
  partsDone: 1,
  partsInFlight: 1,
  concurrency: 3,
  session: { uploadId: 'upload_2', createdAt: 1, expiresAt: 2 },
  sessionEndsTooEarly: true,
};

describe('the progress of a split upload', () => {
  it('includes the progress of its piece, and shows the session of the piece', () => {
    expect(withPieceProgress(split, piece)).toEqual({
      ...split,
      bytesDone: 6 * MiB,
      partSizeBytes: 2 * MiB,
      partsDone: 5,
      partsInFlight: 1,
      concurrency: 3,
      session: piece.session,
      sessionEndsTooEarly: true,
      sessionsOpened: 2,
    });
  });

  it('is waiting or paused only if its piece is', () => {
    const state = (ofSplit: UploadProgress['state'], ofPiece: UploadProgress['state']) =>
      withPieceProgress({ ...split, state: ofSplit }, { ...piece, state: ofPiece }).state;
    expect(state('uploading', 'waiting')).toBe('waiting');
    expect(state('uploading', 'paused')).toBe('paused');
    expect(state('paused', 'waiting')).toBe('waiting');
    expect(state('uploading', 'completing')).toBe('uploading');
    expect(state('paused', 'uploading')).toBe('paused');
    expect(state('cancelled', 'paused')).toBe('cancelled');
    expect(withPieceProgress(split, { ...piece, waiting }).waiting).toEqual(waiting);
  });

  it('keeps the planned size of parts until the piece has a plan', () => {
    expect(withPieceProgress(split, { ...piece, partSizeBytes: 0 }).partSizeBytes).toBe(MiB);
  });

  it('contains the running piece', () => {
    expect(pieceUnderWay(split)?.number).toBe(2);
    expect(pieceUnderWay({ ...split, pieces: [] })).toBeUndefined();
  });
});

describe('the description of a split upload', () => {
  it('contains the completed, running and failed pieces, with the reasons', () => {
    const pieces = [...split.pieces, { ...pieceOf(3, 'failed'), message: 'refused' }];
    const text = describeSplitProgress({ ...split, pieces }, { nowMs: 0 });
    expect(text).toMatch(/\*\*uploading\*\* · `x\.jsonl`/);
    expect(text).toMatch(
      /1 of 3 pieces have their Files\n\nuploading: `x-2`, workflow `w-2`\n\n`x-3` \*\*failed:\*\* `refused`$/,
    );
  });

  it('lists ten of many failed pieces, and the number of the others', () => {
    const failed = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ ...pieceOf(index + 1, 'failed'), message: 'refused' }));
    const text = (count: number) => describeSplitProgress({ ...split, pieces: failed(count) }, { nowMs: 0 });
    expect(text(1000).match(/\*\*failed:\*\*/g)).toHaveLength(10);
    expect(text(1000)).toMatch(/\n\n990 more failed\. The query `progress` lists all of them$/);
    expect(text(10)).not.toMatch(/more failed/);
  });

  it('contains no pieces before the plan', () => {
    expect(describeSplitProgress({ ...split, state: 'inspecting', pieces: [] }, { nowMs: 0 })).not.toMatch(
      /pieces|under way/,
    );
  });
});
