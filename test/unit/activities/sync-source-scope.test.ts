import { expect, it } from 'vitest';
import { packMemory } from '../../../activities/sync/memory.ts';
import { createComparison } from '../../../activities/sync/create-comparison.ts';
import type { SyncScope } from '../../../src/contracts/plan-sync.ts';
import { Sources } from '../../../src/sources/sources.ts';
import { mockDestination } from '../../support/mock-activity.ts';
import { withFakeS3 } from '../../support/fake-s3.ts';

it('the reads of a sync fail for an unavailable bucket, and report an unavailable object', () =>
  withFakeS3(
    {
      'set/a': { content: 'aa' },
      'set/denied': { content: 'dd', rejects: { status: 403, code: 'AccessDenied' } },
      'set/tier': { content: 'tt', storageClass: 'INTELLIGENT_TIERING', archiveStatus: 'ARCHIVE_ACCESS' },
    },
    async (store) => {
      const source = { type: 's3', bucket: store.bucket, prefix: 'set' } as const;
      const scope: SyncScope = {
        source,
        destination: 'default',
        purpose: 'batch',
        prefix: '',
        include: [],
        exclude: [],
      };
      const file = { id: 'f', bytes: 2, createdAt: 1, filename: 'other', purpose: 'batch' };
      const page = { files: [file], unreadable: [], hasMore: false, nextAfter: undefined };
      const client = mockDestination({ list: () => Promise.resolve(page as never) });
      const { signal } = new AbortController();
      // Each object has the size of a known File, so that its MD5 decides.
      const known = { path: 'other', sizeBytes: 2, version: 'v', fileId: 'f', md5: '0'.repeat(32), createdAt: 1 };
      const memory = await packMemory(scope, [known]);
      const comparison = await createComparison(
        { scope, memory },
        { client, sources: new Sources(store.sources), signal },
      );
      expect(comparison.left).toBe(3);

      store.rejectsAll = { status: 403, code: 'InvalidAccessKeyId' };
      await expect(comparison.readOn({ signal })).rejects.toMatchObject({
        code: 'SOURCE_MISSING',
        message: expect.stringMatching(/^cannot read s3:\/\/bucket-\w+\/set\/: the store denied access/),
      });
      expect(comparison.left).toBe(3);

      store.rejectsAll = undefined;
      await comparison.readOn({ signal });
      const { totals, work } = comparison.lists();
      expect(work.map(({ path }) => path)).toEqual(['a']);
      expect(totals.problems).toMatchObject([{ path: 'denied', failureType: 'SourceMissing' }]);
      expect(totals.leftOut).toMatchObject([{ path: 'tier', failureType: 'SourceArchived' }]);
    },
  ));
