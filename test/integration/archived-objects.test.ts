import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createPathFilter } from '../../src/sources/listing/path-filter.ts';
import { Sources } from '../../src/sources/sources.ts';
import { runCliProcess } from '../support/cli.ts';
import { withFakeS3, type FakeObject } from '../support/fake-s3.ts';
import { filesAt, runSync } from '../support/sync-folder.ts';
import { withSystem } from '../support/system.ts';

const purpose = 'assistants';
const tomorrow = new Date(Date.now() + 86_400_000);
const yesterday = new Date(Date.now() - 86_400_000);

/** As many as a sync sends at a time, and more. */
const archived = Object.fromEntries(
  Array.from({ length: 12 }, (_, index): [string, FakeObject] => [
    `set/${index}.jsonl`,
    { content: `${index}\n`, storageClass: index % 2 ? 'GLACIER' : 'DEEP_ARCHIVE' },
  ]),
);
const others: Readonly<Record<string, FakeObject>> = {
  'set/expired.jsonl': { content: 'e\n', storageClass: 'GLACIER', restore: { ongoing: false, expiresAt: yesterday } },
  'set/instant.jsonl': { content: 'i\n', storageClass: 'GLACIER_IR' },
  'set/restored.jsonl': { content: 'r\n', storageClass: 'GLACIER', restore: { ongoing: false, expiresAt: tomorrow } },
  'set/running.jsonl': { content: 'n\n', storageClass: 'GLACIER', restore: { ongoing: true } },
  'set/tier.jsonl': { content: 't\n', storageClass: 'INTELLIGENT_TIERING', archiveStatus: 'DEEP_ARCHIVE_ACCESS' },
  'set/z.jsonl': { content: 'z\n' },
};

describe('archived objects of a bucket', () => {
  it('are excluded from a sync with the reason, and restored objects are sent', () =>
    withFakeS3({ ...archived, ...others }, (store) =>
      withSystem(async (system) => {
        await system.startWorker({ sources: store.sources });
        const sync = { source: { type: 's3', bucket: store.bucket, prefix: 'set' }, purpose, delete: true } as const;
        const first = await runSync(system, sync);
        expect(first).toMatchObject({
          counts: { sent: { files: 3 }, failed: 0, leftOut: 15, postponed: 0 },
          problems: [],
          deletionsHeld: null,
        });
        expect([...(await filesAt(system)).keys()].toSorted()).toEqual(['instant.jsonl', 'restored.jsonl', 'z.jsonl']);
        const reasons = new Map(first.leftOut.map((one) => [one.path, one]));
        expect(reasons.get('0.jsonl')).toEqual({
          path: '0.jsonl',
          failureType: 'SourceArchived',
          message:
            'is archived (DEEP_ARCHIVE) and not restored. Restore it with "aws s3api restore-object", then run the sync again',
        });
        expect(reasons.get('expired.jsonl')?.message).toMatch(/archived \(GLACIER\) and not restored/);
        expect(reasons.get('running.jsonl')?.message).toMatch(/archived \(GLACIER\) and is being restored/);
        expect(reasons.get('tier.jsonl')?.message).toMatch(
          /archived \(DEEP_ARCHIVE_ACCESS\).*--restore-request '\{\}'/,
        );

        // An object that is archived after its upload keeps its File.
        store.objects.set('set/z.jsonl', { content: 'z\n', storageClass: 'GLACIER' });
        expect((await runSync(system, sync)).counts).toMatchObject({ sent: { files: 0 }, deleted: 0, leftOut: 16 });
      }),
    ));

  it('are listed also by a store that does not return the state of restored objects', () =>
    withFakeS3({ ...archived, ...others }, async (store) => {
      store.rejectsAttributes = true;
      const container = { type: 's3', bucket: store.bucket, prefix: 'set' } as const;
      const { entries } = await new Sources(store.sources).list(container, { filter: createPathFilter([], []) });
      expect(entries.map(({ path }) => path)).toEqual(['instant.jsonl', 'tier.jsonl', 'z.jsonl']);
    }));

  it('are each rejected with the command that restores them, before anything is sent', () =>
    withFakeS3({ "set/it's a.jsonl": { content: 'a\n', storageClass: 'GLACIER' }, ...others }, (store) =>
      withSystem(async (system) => {
        const { api, client, environment, directory, startWorker, taskQueue } = system;
        await startWorker({ sources: store.sources });
        const configFile = join(directory, 'config.json');
        const { endpoint, region } = store.sources.s3.default;
        await writeFile(configFile, JSON.stringify({ sources: { s3: { default: { endpoint, region } } } }));
        const aws = { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x', LONGHAUL_CONFIG: configFile };
        const url = (key: string) => `s3://${store.bucket}/${key}`;
        const upload = await runCliProcess(['upload', url("set/it's a.jsonl"), '--purpose', purpose], {
          ...environment,
          ...aws,
        });
        expect(upload).toMatchObject({ code: 2, stdout: '' });
        const command = `aws s3api restore-object --bucket ${store.bucket} --key 'set/it'\\''s a.jsonl' --restore-request '{"Days":7}'`;
        expect(upload.stderr.trim()).toBe(
          `longhaul: cannot read ${url("set/it's a.jsonl")}: it is archived (GLACIER). Restore it: ${command}. Run the same command again when it is restored (this takes hours).`,
        );
        for (const key of ['set/tier.jsonl', 'set/running.jsonl', 'set/expired.jsonl']) {
          const source = { type: 's3', bucket: store.bucket, key } as const;
          const handle = await client.upload({ source, purpose, id: `${key.replace('/', '-')}-${taskQueue}` });
          await expect(handle.result()).rejects.toMatchObject({ failureType: 'SourceArchived' });
        }
        expect(api.stats().uploads).toEqual([]);

        // The store shows the archive only when it is read.
        const key = 'set/z.jsonl';
        store.objects.set(key, { content: 'z\n', rejectsGet: { status: 403, code: 'InvalidObjectState' } });
        const reader = await new Sources(store.sources).open({ type: 's3', bucket: store.bucket, key });
        await expect(reader.read(Buffer.alloc(1), 0)).rejects.toMatchObject({
          code: 'SOURCE_ARCHIVED',
          message: expect.stringContaining(`aws s3api restore-object --bucket ${store.bucket} --key set/z.jsonl`),
        });
      }),
    ));
});
