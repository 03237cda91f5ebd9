import { describe, expect, it } from 'vitest';
import { withFakeS3, type FakeObject } from '../support/fake-s3.ts';
import { filesAt, runSync } from '../support/sync-folder.ts';
import { MiB, withSystem } from '../support/system.ts';

const purpose = 'assistants';
const large = Buffer.alloc(2 * MiB, 'x');
const denied = { status: 403, code: 'AccessDenied' };

function numbered(count: number, name: string, object: FakeObject): Record<string, FakeObject> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`set/${name}-${index}.jsonl`, object]));
}

describe('an unreadable file among many of a sync', () => {
  it('of a bucket delays no other object and is reported with its reason', () =>
    withFakeS3(
      {
        ...numbered(5, 'denied', { content: 'd\n', rejects: denied }),
        ...numbered(2, 'broken', { content: 'b\n', rejectsGet: { status: 500, code: 'InternalError' } }),
        'set/gone.jsonl': { content: 'g\n', rejects: { status: 404, code: 'NoSuchKey' } },
        'set/large-broken.bin': { content: large, rejectsGet: { status: 500, code: 'InternalError' } },
        'set/large-denied.bin': { content: large, rejectsGet: denied },
        'set/large-hidden.bin': { content: large, rejects: denied },
        'set/z-large.bin': { content: large },
        'set/z.jsonl': { content: 'z\n' },
      },
      (store) =>
        withSystem(async (system) => {
          await system.startWorker({ sources: store.sources });
          const source = { type: 's3', bucket: store.bucket, prefix: 'set' } as const;
          const sync = { source, purpose, maxConcurrentUploads: 2, upload: { partSizeBytes: MiB } };
          const { counts, problems } = await runSync(system, sync);
          expect(counts).toMatchObject({ sent: { files: 2 }, failed: 11, leftOut: 0, postponed: 0 });
          const types = new Map(problems.map(({ path, failureType }) => [path, failureType]));
          expect(types.get('denied-3.jsonl')).toBe('SourceMissing');
          expect(types.get('broken-1.jsonl')).toBe('SourceUnavailable');
          expect(types.get('large-broken.bin')).toBe('SourceUnavailable');
          expect(types.get('large-hidden.bin')).toBe('SourceMissing');
          const denial = problems.find(({ path }) => path === 'large-denied.bin');
          expect(denial?.message).toMatch(/cannot read .*large-denied\.bin: the store denied access \(AccessDenied\)/);
          expect([...(await filesAt(system)).keys()].toSorted()).toEqual(['z-large.bin', 'z.jsonl']);
          expect(system.uploads().filter(({ status }) => status === 'pending')).toEqual([]);
          const attempts = store.requests.filter((request) => request === 'GET set/broken-1.jsonl');
          expect(attempts.length).toBeLessThanOrEqual(6);
        }),
    ));
});
