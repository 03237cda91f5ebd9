import { describe, expect, it } from 'vitest';
import { Limits } from '../../../../src/contracts/limits.ts';
import { splitRequestProblems } from '../../../../src/contracts/requests/problems.ts';

const request = { source: { type: 'file', path: '/data/x.jsonl' }, purpose: 'batch' };

describe('the check of a split request', () => {
  it.each([
    {},
    { pieceSizeBytes: 1 },
    { pieceSizeBytes: Limits.settableFileBytes },
    { again: true },
    { pieceSizeBytes: undefined },
  ])('accepts %j', (changes) => {
    expect(splitRequestProblems({ ...request, ...changes })).toEqual([]);
  });

  it('reports all problems, also those of any upload', () => {
    expect(splitRequestProblems({ ...request, pieceSizeBytes: 0, again: 'yes', purpose: '' })).toEqual([
      '"purpose" must be a non-empty string',
      '"pieceSizeBytes" must be a whole number from 1 to 549755813888',
      '"again" must be true or false',
    ]);
    expect(splitRequestProblems({ ...request, pieceSizeBytes: Limits.settableFileBytes + 1 })).toHaveLength(1);
    expect(splitRequestProblems({ ...request, pieceSizeBytes: 1.5 })).toHaveLength(1);
    expect(splitRequestProblems({ ...request, pieceSizeBytes: 'auto' })).toEqual([
      expect.stringMatching(
        /^"pieceSizeBytes" must be a number\. Only .*--split auto.* and uploadSplit\(\) accept "auto"/,
      ),
    ]);
    expect(splitRequestProblems({ ...request, pieces: 3 })).toEqual([
      '"pieces" is not a property of an upload request',
    ]);
    expect(splitRequestProblems(null)).toEqual(['an upload request must be an object']);
    expect(splitRequestProblems('x')).toEqual(['an upload request must be an object']);
  });
});
