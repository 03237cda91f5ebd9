import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Limits, openAiLimits } from '../../../../src/contracts/limits.ts';
import { halvedPartSizeBytes, partRange, partSizeWithin, planParts } from '../../../../src/core/upload/plan.ts';

const MiB = 1024 * 1024;
const fileSize = fc.integer({ min: 1, max: Limits.maxFileBytes });
const partSize = fc.integer({ min: Limits.minPartSizeBytes, max: Limits.maxPartSizeBytes });

describe('the part plan', () => {
  it('covers the file exactly, in order, without an empty part', () => {
    fc.assert(
      fc.property(fileSize, partSize, (sizeBytes, partSizeBytes) => {
        const plan = planParts(sizeBytes, partSizeBytes);
        let end = 0;
        for (let partNumber = 1; partNumber <= plan.partCount; partNumber++) {
          const range = partRange(plan, partNumber);
          if (range.offsetBytes !== end || range.sizeBytes < 1 || range.sizeBytes > partSizeBytes) return false;
          end += range.sizeBytes;
        }
        return end === sizeBytes;
      }),
    );
  });

  it('makes all parts except the last the same size', () => {
    fc.assert(
      fc.property(fileSize, partSize, (sizeBytes, partSizeBytes) => {
        const plan = planParts(sizeBytes, partSizeBytes);
        const last = partRange(plan, plan.partCount).sizeBytes;
        return last === sizeBytes - (plan.partCount - 1) * partSizeBytes;
      }),
    );
  });

  it('selects a part size that the service accepts, with a short history', () => {
    fc.assert(
      fc.property(fileSize, (sizeBytes) => {
        const plan = planParts(sizeBytes, partSizeWithin(openAiLimits, sizeBytes));
        return plan.partSizeBytes <= Limits.maxPartSizeBytes && plan.partCount <= 128;
      }),
    );
  });

  it.each([
    [1, 8 * MiB],
    [1024 * MiB, 8 * MiB],
    [1024 * MiB + 1, 8 * MiB + 1],
    [4096 * MiB, 32 * MiB],
    [Limits.maxFileBytes, 64 * MiB],
    [2 * Limits.maxFileBytes, 64 * MiB],
  ])('divides a file of %d bytes into parts of %d bytes', (sizeBytes, expected) => {
    expect(partSizeWithin(openAiLimits, sizeBytes)).toBe(expected);
  });

  it('has parts within the limits of any service, if such parts exist', () => {
    const limits = { minPartSizeBytes: 5 * MiB, maxPartSizeBytes: 100 * MiB, maxParts: 100 };
    fc.assert(
      fc.property(fileSize, fc.option(partSize, { nil: undefined }), (sizeBytes, requested) => {
        const partSizeBytes = partSizeWithin(limits, sizeBytes, requested);
        expect(partSizeBytes).toBeGreaterThanOrEqual(limits.minPartSizeBytes);
        expect(partSizeBytes).toBeLessThanOrEqual(limits.maxPartSizeBytes);
        expect(planParts(sizeBytes, partSizeBytes).partCount).toBeLessThanOrEqual(limits.maxParts);
      }),
    );
  });

  it.each([
    [openAiLimits, 9 * MiB, 8 * MiB, 4 * MiB],
    [openAiLimits, 9 * MiB, MiB, undefined],
    [{ ...openAiLimits, minPartSizeBytes: 5 * MiB }, 9 * MiB, 8 * MiB, 5 * MiB],
    [{ ...openAiLimits, maxParts: 2 }, 16 * MiB, 8 * MiB, undefined],
  ])('halves parts that were rejected, as far as %o permits it', (limits, sizeBytes, partSizeBytes, expected) => {
    expect(halvedPartSizeBytes(limits, sizeBytes, partSizeBytes)).toBe(expected);
  });

  it('has one part for a file that is smaller than a part', () => {
    expect(planParts(5, 8 * MiB)).toEqual({ sizeBytes: 5, partSizeBytes: 8 * MiB, partCount: 1 });
    expect(partRange(planParts(5, 8 * MiB), 1)).toEqual({ offsetBytes: 0, sizeBytes: 5 });
  });

  it('rejects an empty file', () => {
    expect(() => planParts(0, MiB)).toThrow(RangeError);
  });
});
