import { expect, it } from 'vitest';
import type { PathFilter } from '../../../../src/sources/listing/path-filter.ts';
import { BucketRows } from '../../../../src/sources/s3/bucket-rows.ts';

const everything = { takes: () => true } as unknown as PathFilter;

it.each([-1, 1.5, NaN, Infinity, 2 ** 60, undefined])(
  'a row with the size %s is a problem, and no other row is lost',
  (Size) => {
    const rows = new BucketRows('s3://b', '', everything);
    rows.add({ Key: 'a', Size, ETag: '"e"' });
    rows.add({ Key: 'b', Size: 3, ETag: '"e"' });
    const { entries, problems } = rows.listing(true);
    expect(entries).toMatchObject([{ path: 'b', sizeBytes: 3 }]);
    expect(problems).toMatchObject([{ path: 'a', message: expect.stringContaining('no valid size') }]);
  },
);
