import { expect, it } from 'vitest';
import { ConfigError } from '../../../../src/errors.ts';
import { mapS3Error } from '../../../../src/sources/s3/errors.ts';

it('names the setting if no region is set', () => {
  const error = mapS3Error(new Error('Region is missing'), 's3://bucket/key');
  expect(error).toBeInstanceOf(ConfigError);
  expect(error.message).toMatch(/s3:\/\/bucket\/key.*AWS_REGION/);
});
