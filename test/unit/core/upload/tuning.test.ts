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

describe('what of an upload may be changed while it runs', () => {
  it('is what the request says, else the default', () => {
    const tuning = tuningOf(request);
    expect(tuning).toMatchObject({ concurrency: 16, mostParts: 16, nextPartSizeBytes: 8_388_608, limit: null });
    const asked = { ...request, concurrency: 4, partSizeBytes: 2_000_000, limitBytesPerSecond: 1024 * KiB };
    expect(tuningOf(asked)).toMatchObject({
      concurrency: 4,
      nextPartSizeBytes: 2_000_000,
      limit: { bytesPerSecond: 1024 * KiB, revision: 0 },
    });
  });

  it('changes only where something is given, and each limit is newer than the one before', () => {
    const tuning = tuningOf({ ...request, limitBytesPerSecond: 0 });
    tuning.retune({ concurrency: 3 });
    tuning.retune({ partSizeBytes: 3_000_000 });
    expect(tuning).toMatchObject({ concurrency: 3, nextPartSizeBytes: 3_000_000, limit: { revision: 0 } });
    tuning.retune({ limitBytesPerSecond: 256 * KiB });
    expect(tuning).toMatchObject({ concurrency: 3, limit: { bytesPerSecond: 256 * KiB, revision: 1 } });
    tuning.retune({ limitBytesPerSecond: 0 });
    expect(tuning.limit).toEqual({ bytesPerSecond: 0, revision: 2 });
  });

  it('sends no more parts at a time than its limit can feed', () => {
    const tuning = tuningOf({ ...request, limitBytesPerSecond: 256 * KiB });
    expect(tuning.mostParts).toBe(2);
    tuning.retune({ limitBytesPerSecond: 0 });
    expect(tuning.mostParts).toBe(16);
  });

  it('keeps changes from before the request was known, except an unusable "ignoreInode"', () => {
    const tuning = new UploadTuning();
    expect(tuning).toMatchObject({ concurrency: 0, nextPartSizeBytes: undefined, limit: null, ignoreInode: false });
    tuning.retune({ concurrency: 3, ignoreInode: true });
    expect(tuning).toMatchObject({ concurrency: 3, ignoreInode: true });
    tuning.admit(fullUpload({ ...request, concurrency: 9, md5: false }));
    expect(tuning).toMatchObject({ concurrency: 3, nextPartSizeBytes: 8_388_608, ignoreInode: false });
  });

  it('continues unchanged in the next execution, also after one without limits', () => {
    const tuning = tuningOf(request);
    tuning.retune({ concurrency: 2, limitBytesPerSecond: 512 * KiB });
    expect(tuningOf(request, tuning.toJSON()).toJSON()).toEqual(tuning.toJSON());
    const { limit: _limit, ...older } = tuning.toJSON();
    expect(tuningOf(request, older).limit).toBeNull();
  });
});
