import { describe, expect, it } from 'vitest';
import { knownDetails, leftFiles } from '../../../../src/core/shape/failure-details.ts';

describe('knownDetails', () => {
  it('returns the valid properties and ignores the others', () => {
    const details = { attempt: 2, status: 'x', retryAtMs: Infinity, subject: { filename: 1 }, notDone: true, other: 1 };
    expect(knownDetails(details)).toEqual({ attempt: 2, notDone: true });
  });

  it.each([null, undefined, 'text', 7, [{ attempt: 1 }]])('returns undefined for %j', (details) => {
    expect(knownDetails(details)).toBeUndefined();
  });
});

describe('leftFiles', () => {
  it('returns the files that a failed batch left, and ignores invalid values', () => {
    expect(leftFiles([{ inDoubt: 'worker' }, {}])).toHaveLength(2);
    for (const value of [undefined, null, {}, [5], [{ inDoubt: 'x' }]]) expect(leftFiles(value)).toBeUndefined();
  });
});
