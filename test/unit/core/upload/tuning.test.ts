import { describe, expect, it } from 'vitest';
import { UploadTuning, type CarriedTuning } from '../../../../src/core/upload/tuning.ts';
import { fullUpload } from '../../../support/full-request.ts';

const request = { source: { type: 'file', path: '/a' }, purpose: 'batch', partSizeBytes: 8_388_608 };

function tuningOf(admitted: object, carried?: CarriedTuning): UploadTuning {
  const tuning = new UploadTuning(carried);
  tuning.admit(fullUpload(admitted));
  return tuning;
}
const KiB = 1024;

describe('the settings that can change during an upload', () => {
  it('are those of the request, or else the defaults', () => {
    const tuning = tuningOf(request);
    expect(tuning).toMatchObject({ concurrency: 16, mostParts: 16, nextPartSizeBytes: 8_388_608, limit: null });
    const asked = { ...request, concurrency: 4, partSizeBytes: 2_000_000, limitBytesPerSecond: 1024 * KiB };
    expect(tuningOf(asked)).toMatchObject({
      concurrency: 4,
      nextPartSizeBytes: 2_000_000,
      limit: { bytesPerSecond: 1024 * KiB, revision: 0 },
    });
  });

  it('change only if a value is set, and each new limit has a higher revision', () => {
    const tuning = tuningOf({ ...request, limitBytesPerSecond: 0 });
    tuning.retune({ concurrency: 3 });
    tuning.retune({ partSizeBytes: 3_000_000 });
    expect(tuning).toMatchObject({ concurrency: 3, nextPartSizeBytes: 3_000_000, limit: { revision: 0 } });
    tuning.retune({ limitBytesPerSecond: 256 * KiB });
    expect(tuning).toMatchObject({ concurrency: 3, limit: { bytesPerSecond: 256 * KiB, revision: 1 } });
    tuning.retune({ limitBytesPerSecond: 0 });
    expect(tuning.limit).toEqual({ bytesPerSecond: 0, revision: 2 });
  });

  it('permit only as many parts at the same time as the rate limit can supply', () => {
    const tuning = tuningOf({ ...request, limitBytesPerSecond: 256 * KiB });
    expect(tuning.mostParts).toBe(2);
    tuning.retune({ limitBytesPerSecond: 0 });
    expect(tuning.mostParts).toBe(16);
  });

  it('keep changes from before the request was read, except an unusable "ignoreInode"', () => {
    const tuning = new UploadTuning();
    expect(tuning).toMatchObject({ concurrency: 0, nextPartSizeBytes: undefined, limit: null, ignoreInode: false });
    tuning.retune({ concurrency: 3, ignoreInode: true });
    expect(tuning).toMatchObject({ concurrency: 3, ignoreInode: true });
    tuning.admit(fullUpload({ ...request, concurrency: 9, md5: false }));
    expect(tuning).toMatchObject({ concurrency: 3, nextPartSizeBytes: 8_388_608, ignoreInode: false });
  });

  it('continue unchanged in the next execution, also after an execution without limits', () => {
    const tuning = tuningOf(request);
    tuning.retune({ concurrency: 2, limitBytesPerSecond: 512 * KiB });
    expect(tuningOf(request, tuning.toJSON()).toJSON()).toEqual(tuning.toJSON());
    const { limit: _limit, ...older } = tuning.toJSON();
    expect(tuningOf(request, older).limit).toBeNull();
  });
});
