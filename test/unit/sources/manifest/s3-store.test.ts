import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openS3Manifest } from '../../../../src/sources/manifest/s3-store.ts';
import type { S3Bucket } from '../../../../src/sources/s3/connections.ts';
import { canMount, withMount } from '../../../support/mount.ts';
import { withTempDir } from '../../../support/temp-dir.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** An update of a manifest in a bucket without the object. */
async function update(): Promise<void> {
  const bucket = { ask: async () => undefined, settings: { stallTimeoutMs: 1000 } } as unknown as S3Bucket;
  const manifest = openS3Manifest({ type: 's3', bucket: 'data', key: 'sync.jsonl' }, bucket);
  await manifest.update(async function* rewrite() {
    yield 'x'.repeat(10_000);
  }, new AbortController().signal);
}

const failure = (directory: string, cause: string) => ({
  code: 'SOURCE_READ_FAILED',
  message:
    `cannot write the manifest s3://data/sync.jsonl: no copy in ${directory}: ${cause}. ` +
    'Set TMPDIR of the worker to a directory with free space.',
});

describe('an update of a manifest in a bucket names TMPDIR', () => {
  it('if it is missing', () =>
    withTempDir(async (directory) => {
      const missing = join(directory, 'missing');
      vi.stubEnv('TMPDIR', missing);
      await expect(update()).rejects.toMatchObject(failure(missing, 'it does not exist (ENOENT)'));
    }));

  it.skipIf(!canMount())('if its disk is full', () =>
    withTempDir((directory) =>
      withMount(join(directory, 'full'), 'size=4k', async () => {
        const full = join(directory, 'full');
        vi.stubEnv('TMPDIR', full);
        await expect(update()).rejects.toMatchObject(failure(full, 'no space left on the disk (ENOSPC)'));
      }),
    ),
  );
});
