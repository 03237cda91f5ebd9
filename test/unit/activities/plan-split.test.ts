import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openAiLimits } from '../../../src/contracts/limits.ts';
import { createPlanSplit } from '../../../activities/plan-split.ts';
import type { PlanSplitResult } from '../../../src/contracts/activities.ts';
import type { FileSource } from '../../../src/contracts/sources.ts';
import { FailureType } from '../../../src/contracts/failures.ts';
import { failureOf, mockActivity, withClient } from '../../support/mock-activity.ts';
import { fullSplit } from '../../support/full-request.ts';
import { withTempDir } from '../../support/temp-dir.ts';

/** Without pieces of earlier executions, which Temporal would have. */
const plan = (input: object): Promise<PlanSplitResult> => {
  const request = { purpose: 'batch', again: true, ...input } as never;
  return mockActivity().run(createPlanSplit(withClient({})), { request, identity: null });
};

function withLines<T>(lines: string, body: (source: FileSource) => Promise<T>): Promise<T> {
  return withTempDir(async (directory) => {
    const path = join(directory, 'lines.jsonl');
    await writeFile(path, lines);
    return body({ type: 'file', path });
  });
}

describe('the activity planSplit', () => {
  it('returns the size and fingerprint of the source, and the ranges of the pieces', () =>
    withLines('{1}\r\n{2}\r\n{3}', async (source) => {
      expect(await plan({ source, pieceSizeBytes: 8 })).toEqual({
        request: fullSplit({ source, purpose: 'batch', filename: 'lines.jsonl', pieceSizeBytes: 8, again: true }),
        hasAttributes: false,
        limits: openAiLimits,
        sizeBytes: 13,
        fingerprint: expect.stringMatching(/^13-/),
        pieces: [
          { offsetBytes: 0, sizeBytes: 5, isReplaced: true },
          { offsetBytes: 5, sizeBytes: 8, isReplaced: true },
        ],
      });
    }));

  it('cuts a range of a source, and returns ranges within it', () =>
    withLines('skipped\n{1}\n{2}\nskipped\n', async (source) => {
      const ranged = { ...source, range: { offsetBytes: 8, sizeBytes: 8 } };
      expect(await plan({ source: ranged, pieceSizeBytes: 4 })).toMatchObject({
        sizeBytes: 8,
        pieces: [
          { offsetBytes: 0, sizeBytes: 4 },
          { offsetBytes: 4, sizeBytes: 4 },
        ],
      });
    }));

  it('reports the position of a line that is too long, and too many pieces', () =>
    withLines(`{1}\n${'x'.repeat(2000)}\n{3}\n`, async (source) => {
      const long = await failureOf(plan({ source, pieceSizeBytes: 1000 }));
      expect(long).toMatchObject({ type: FailureType.LineTooLong, nonRetryable: true });
      expect(long.message).toMatch(
        /starts at byte 4 is longer than .* \(1000 bytes\), .* or increase the size of the pieces\.$/,
      );
      const many = await failureOf(plan({ source, pieceSizeBytes: 3 }));
      expect(many).toMatchObject({ type: FailureType.SourceUnusable, nonRetryable: true });
      expect(many.message).toMatch(/more than 500 Files\. Increase --split-size \(pieceSizeBytes\) to at least 5\./);
    }));

  it('cuts at the maximum number of lines of the purpose, and resumes the count of a killed attempt', () =>
    withLines(Array.from({ length: 200 }, (_, index) => `{"n":${index}}\n`).join(''), async (source) => {
      const limits = () => ({ ...openAiLimits, maxFileBytes: 1000, maxLines: 60, extensions: ['.jsonl'] });
      const run = (info: object, request: object = {}): Promise<PlanSplitResult> =>
        mockActivity(info).run(createPlanSplit(withClient({ limits })), {
          request: { purpose: 'batch', again: true, source, ...request },
          identity: null,
        });
      const { pieces, fingerprint } = await run({});
      expect(pieces).toHaveLength(4);
      const content = await readFile(source.path, 'utf8');
      for (const { offsetBytes, sizeBytes } of pieces) {
        const piece = content.slice(offsetBytes, offsetBytes + sizeBytes);
        expect(piece).toMatch(/\n$/);
        expect(piece.split('\n').length - 1).toBeLessThanOrEqual(60);
        expect(sizeBytes).toBeLessThanOrEqual(1000);
      }
      // The state of the killed attempt decides: 5,000 lines were counted in the first 10 bytes.
      const heartbeatDetails = { fingerprint, lines: { offsetBytes: 10, states: ['[0,5000]'] } };
      await expect(run({ heartbeatDetails })).rejects.toThrow();
      const other = { ...heartbeatDetails, fingerprint: 'of other content' };
      expect((await run({ heartbeatDetails: other })).pieces).toEqual(pieces);
      const named = await failureOf(run({}, { filename: 'x.csv' }));
      expect(named.message).toMatch(/must end in \.jsonl\./);
    }));
});
