import { describe, expect, it } from 'vitest';
import type { PlannedUpload } from '../../../../src/contracts/batch.ts';
import { BatchLimits, Defaults } from '../../../../src/contracts/limits.ts';
import { jsonBytes } from '../../../../src/core/payload.ts';
import { loadsOf } from '../../../../src/core/sync/loads.ts';

const MiB = 1024 * 1024;

function planned(count: number, sizeBytes: number, name = 'f'): PlannedUpload[] {
  return Array.from({ length: count }, (_, index) => {
    const path = `${name}${String(index).padStart(4, '0')}`;
    return { path, filename: path, sizeBytes, fingerprint: 'f', version: 'v', key: 'k' };
  });
}

const sizesOf = (uploads: readonly PlannedUpload[]) => loadsOf(uploads).map((load) => load.length);

describe('loadsOf', () => {
  it('divides small files into batches of about the same size', () => {
    expect(sizesOf(planned(200, 10))).toEqual([50, 50, 50, 50]);
    expect(sizesOf(planned(60, 10))).toEqual([30, 30]);
    expect(sizesOf(planned(1, 10))).toEqual([1]);
    expect(loadsOf([])).toEqual([]);
  });

  it('keeps a batch below its limit of bytes', () => {
    for (const load of loadsOf(planned(200, MiB))) {
      expect(load.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBeLessThanOrEqual(BatchLimits.sizeBytes);
    }
  });

  it('keeps the input of a batch below its limit', () => {
    const loads = loadsOf(planned(60, 10, '\u0001'.repeat(3000)));
    expect(loads.length).toBeGreaterThan(2);
    for (const load of loads) expect(jsonBytes(load)).toBeLessThan(BatchLimits.inputBytes);
    expect(loads.flat()).toHaveLength(60);
  });

  it('creates a separate load for each larger file, and keeps the order of the first files', () => {
    const large = planned(2, Defaults.smallFileBytes + 1, 'm');
    const [before, after] = [planned(2, 10, 'a'), planned(2, Defaults.smallFileBytes, 'z')];
    const loads = loadsOf([...before, ...large, ...after]);
    expect(loads).toEqual([[...before, ...after], [large[0]], [large[1]]]);
  });
});
