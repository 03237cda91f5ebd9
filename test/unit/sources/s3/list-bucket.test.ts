import { expect, it } from 'vitest';
import { createPathFilter } from '../../../../src/sources/listing/path-filter.ts';
import type { S3Bucket } from '../../../../src/sources/s3/connections.ts';
import { listBucket } from '../../../../src/sources/s3/list-bucket.ts';

const filter = createPathFilter([], []);

it('aborts a list that returns new tokens indefinitely without rows', async () => {
  let page = 0;
  // The integration tests of strange answers use the client of AWS.
  const bucket = {
    ask: async () => ({ IsTruncated: true, NextContinuationToken: `page-${page++}` }),
  } as unknown as S3Bucket;
  const list = listBucket({ type: 's3', bucket: 'bucket' }, bucket, { filter });
  await expect(list).rejects.toMatchObject({ code: 'SOURCE_NOT_RANGED' });
  expect(page).toBe(1000);
});
