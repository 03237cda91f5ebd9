import { describe, expect, it } from 'vitest';
import { openAiLimits } from '../../../src/contracts/limits.ts';
import { limitsOf } from '../../../src/destinations/limits.ts';
import { fileProblem, linesProblem } from '../../../src/core/upload/file-limits.ts';

const MiB = 1024 * 1024;

describe('limitsOf', () => {
  it('returns the documented limits of each purpose', () => {
    expect(limitsOf({}, 'assistants')).toEqual(openAiLimits);
    const batch = { ...openAiLimits, maxFileBytes: 200_000_000, maxLines: 50_000, extensions: ['.jsonl'] };
    expect(limitsOf({}, 'batch')).toEqual(batch);
    expect(limitsOf({}, 'fine-tune')).toEqual({ ...openAiLimits, extensions: ['.jsonl'] });
    expect(limitsOf({}, 'constructor')).toEqual(openAiLimits);
  });

  it('applies settings of a destination, and prefers those of a purpose', () => {
    const limits = {
      maxFileBytes: 8_000_000_000,
      maxPartSizeBytes: 32 * MiB,
      sessionSeconds: 7200,
      purposes: { batch: { maxLines: 0, extensions: [] }, 'fine-tune': { maxFileBytes: 9_000_000_000 } },
    };
    const parts = { maxPartSizeBytes: 32 * MiB, sessionSeconds: 7200 };
    const everywhere = { ...openAiLimits, ...parts, maxFileBytes: 8_000_000_000 };
    expect(limitsOf({ limits }, 'vision')).toEqual(everywhere);
    expect(limitsOf({ limits }, 'batch')).toEqual({ ...everywhere, maxFileBytes: 200_000_000 });
    expect(limitsOf({ limits }, 'fine-tune')).toMatchObject({ maxFileBytes: 9_000_000_000, extensions: ['.jsonl'] });
    const small = { maxFileBytes: 100_000_000 };
    expect(limitsOf({ limits: small }, 'batch')).toMatchObject({ maxFileBytes: 100_000_000, maxLines: 50_000 });
  });

  it('limits the number of parts to the size of a payload', () => {
    const limits = { maxFileBytes: 500e9, minPartSizeBytes: MiB, maxPartSizeBytes: 2 * MiB };
    expect(limitsOf({ limits }, 'vision')).toMatchObject({ maxParts: 10_000, maxFileBytes: 20_000 * MiB });
  });
});

describe('the violations of limits', () => {
  it('contain the limit and the flag that fixes them', () => {
    const batch = limitsOf({}, 'batch');
    const file = { filename: 'a.jsonl', purpose: 'batch', sizeBytes: 200_000_000 };
    expect(fileProblem(batch, file)).toBeUndefined();
    expect(fileProblem(batch, { ...file, sizeBytes: 200_000_001 })).toBe(
      'has 191 MiB (200000001 bytes), and the maximum of an Upload is 200 MB for the purpose batch. ' +
        'If it is JSONL, use --split to create several Files. Otherwise reduce its size.',
    );
    expect(fileProblem(batch, { ...file, filename: 'a.csv' })).toBe(
      'is not accepted: the name of a File for the purpose batch must end in .jsonl. ' +
        'Set such a name with --filename a.jsonl, or use another --purpose.',
    );
    const azure = { ...openAiLimits, maxFileBytes: 9_000_000_000 };
    expect(fileProblem(azure, { ...file, sizeBytes: 9_000_000_001 })).toContain('the maximum of an Upload is 9 GB for');
    expect(linesProblem(batch, file)).toBe(
      'has more than 50,000 lines, the maximum of a File for the purpose batch. To create several Files, use "longhaul upload --split".',
    );
  });
});
