import { describe, expect, it } from 'vitest';
import { completeTimeoutMs, partTimeoutMs } from '../../../../src/core/upload/plan.ts';

const MiB = 1024 * 1024;

describe('the time that a call has', () => {
  it('is five minutes for a part, and longer for one that a slow link needs longer for', () => {
    expect(partTimeoutMs(MiB)).toBe(300_000);
    expect(partTimeoutMs(64 * MiB)).toBe(1_024_000);
  });

  it('is two minutes for a completion, and 32 s more for each GiB that the service may read again', () => {
    expect(completeTimeoutMs(1)).toBe(120_001);
    expect(completeTimeoutMs(8192 * MiB)).toBe(120_000 + 8 * 32_000);
  });
});
