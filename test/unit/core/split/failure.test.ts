import { describe, expect, it } from 'vitest';
import { FailureType } from '../../../../src/contracts/failures.ts';
import type { PieceProgress } from '../../../../src/contracts/split.ts';
import { endsAllPieces, splitFailure } from '../../../../src/core/split/failure.ts';

const piece = (number: number, changes: Partial<PieceProgress>): PieceProgress => ({
  number,
  filename: `x-${number}`,
  workflowId: `w-${number}`,
  range: { offsetBytes: 0, sizeBytes: 1 },
  state: 'pending',
  ...changes,
});

describe('the failure of a piece', () => {
  it.each<[string, number | undefined, boolean]>([
    [FailureType.SourceChanged, undefined, true],
    [FailureType.SourceUnusable, undefined, true],
    [FailureType.SourceMissing, undefined, true],
    [FailureType.ApiRejected, 401, true],
    [FailureType.ApiUnavailable, 503, true],
    [FailureType.ApiRejected, 422, false],
    [FailureType.SessionLost, 404, false],
    [FailureType.UploadCancelled, undefined, false],
  ])('%s (status %s) ends the others: %s', (failureType, status, expected) => {
    expect(endsAllPieces({ failureType, status, message: '' })).toBe(expected);
  });
});

describe('splitFailure', () => {
  it('lists pieces without a File and the reasons, the Files, and the fix', () => {
    const pieces = [
      piece(1, { state: 'completed', fileId: 'file-1' }),
      piece(2, { state: 'failed', failureType: FailureType.ApiRejected, message: 'no' }),
      piece(3, {}),
    ];
    expect(splitFailure(pieces)).toEqual({
      type: FailureType.PiecesFailed,
      message:
        '2 of 3 pieces have no File: 2 (no), 3 (not started). Pieces with a File: 1 file-1. Start the same upload again to send only the missing pieces.',
    });
  });

  it('returns SourceChanged if the source no longer matches the Files of other pieces', () => {
    const { type, message } = splitFailure([
      piece(1, { state: 'failed', failureType: FailureType.SourceUnusable, message: 'empty' }),
    ]);
    expect(type).toBe(FailureType.SourceChanged);
    expect(message).toBe(
      '1 of 1 pieces have no File: 1 (empty). No piece has a File. The Files contain the earlier content of the source. Delete them, and start a new upload.',
    );
  });

  it('shortens the list of many pieces', () => {
    const pieces = Array.from({ length: 500 }, (_, index) => piece(index + 1, {}));
    expect(splitFailure(pieces).message).toMatch(/20 \(not started\) and 480 more\. No piece has a File\./);
  });
});
