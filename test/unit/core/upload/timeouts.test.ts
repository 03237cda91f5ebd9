import { describe, expect, it } from 'vitest';
import { completeTimeoutMs, partTimeoutMs } from '../../../../src/core/upload/plan.ts';

const MiB = 1024 * 1024;

describe('the timeout of a call', () => {
  it('is 5 minutes for a part, and longer for a part that takes longer on a slow link', () => {
    expect(partTimeoutMs(MiB)).toBe(300_000);
    expect(partTimeoutMs(64 * MiB)).toBe(1_024_000);
  });

  it('is 2 minutes for a completion, and 32 s more per GiB that the service might read again', () => {
    expect(completeTimeoutMs(1)).toBe(120_001);
    expect(completeTimeoutMs(8192 * MiB)).toBe(120_000 + 8 * 32_000);
  });
});
