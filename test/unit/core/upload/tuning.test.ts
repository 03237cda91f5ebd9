import { describe, expect, it } from 'vitest';
import type { UploadRequest } from '../../../../src/contracts/upload.ts';
import { UploadTuning } from '../../../../src/core/upload/tuning.ts';

const request: UploadRequest = { source: { type: 'file', path: '/a' }, purpose: 'batch' };
const KiB = 1024;

describe('what of an upload may be changed while it runs', () => {
  it('is what the request says, else the default', () => {
    const tuning = new UploadTuning(request);
    expect(tuning).toMatchObject({ concurrency: 16, mostParts: 16, nextPartSizeBytes: undefined, limit: null });
    const asked = { ...request, concurrency: 4, partSizeBytes: 2_000_000, limitBytesPerSecond: 1024 * KiB };
    expect(new UploadTuning(asked)).toMatchObject({
      concurrency: 4,
      nextPartSizeBytes: 2_000_000,
      limit: { bytesPerSecond: 1024 * KiB, revision: 0 },
    });
  });

  it('changes only where something is given, and each limit is newer than the one before', () => {
    const tuning = new UploadTuning({ ...request, limitBytesPerSecond: 0 });
    tuning.retune({ concurrency: 3 });
    tuning.retune({ partSizeBytes: 3_000_000 });
    expect(tuning).toMatchObject({ concurrency: 3, nextPartSizeBytes: 3_000_000, limit: { revision: 0 } });
    tuning.retune({ limitBytesPerSecond: 256 * KiB });
    expect(tuning).toMatchObject({ concurrency: 3, limit: { bytesPerSecond: 256 * KiB, revision: 1 } });
    tuning.retune({ limitBytesPerSecond: 0 });
    expect(tuning.limit).toEqual({ bytesPerSecond: 0, revision: 2 });
  });

  it('sends no more parts at a time than its limit can feed', () => {
    const tuning = new UploadTuning({ ...request, limitBytesPerSecond: 256 * KiB });
    expect(tuning.mostParts).toBe(2);
    tuning.retune({ limitBytesPerSecond: 0 });
    expect(tuning.mostParts).toBe(16);
  });

  it('goes on in the next execution as it was, also from one that knew no limit', () => {
    const tuning = new UploadTuning(request);
    tuning.retune({ concurrency: 2, limitBytesPerSecond: 512 * KiB });
    expect(new UploadTuning(request, tuning.toJSON()).toJSON()).toEqual(tuning.toJSON());
    const { limit: _limit, ...older } = tuning.toJSON();
    expect(new UploadTuning(request, older).limit).toBeNull();
  });
});
