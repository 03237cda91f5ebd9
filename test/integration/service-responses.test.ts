import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobHandle } from 'longhaul';
import type { UploadProgress } from 'longhaul/types';
import { describe, expect, it } from 'vitest';
import { withCaptureServer, type CapturedRequest } from '../support/capture-server.ts';
import { randomFile } from '../support/random-file.ts';
import { MiB, withSystem, type System } from '../support/system.ts';

const purpose = 'assistants';
const partSizeBytes = MiB;

async function start({ client, directory }: System, sizeBytes = 3 * MiB, options = {}): Promise<JobHandle<'upload'>> {
  const file = join(directory, 'data.bin');
  await randomFile(file, sizeBytes);
  return client.upload({ file, purpose, partSizeBytes, ...options });
}

describe('an upload', () => {
  it('retries after invalid values of the service, and uses defaults for omitted values', () =>
    withSystem(async (system) => {
      await system.startWorker();
      const { faults } = system.api;
      faults.add({ route: 'create', kind: 'alter', set: { '/expires_at': 'soon' } });
      faults.add({ route: 'create', kind: 'alter', remove: ['/expires_at'], set: { '/status': 'created' } });
      faults.add({ route: 'part', kind: 'alter', set: { '/id': 'x'.repeat(MiB) } });
      faults.add({ route: 'complete', kind: 'alter', set: { '/file/bytes': null } });
      const handle = await start(system);
      const { file, ...result } = await handle.result();
      expect(result).toMatchObject({ sessions: 1, orphanedSessions: 0 });
      expect(file).toMatchObject({ id: expect.stringMatching(/^file-/), bytes: 3 * MiB });
      // The session without a usable end is cancelled. One hour is assumed if the end is omitted.
      expect(system.uploads().map(({ status }) => status)).toEqual(['cancelled', 'completed']);
      const workflow = system.client.temporal.workflow.getHandle(handle.workflowId);
      const { session } = await workflow.query<UploadProgress>('progress');
      expect((session?.expiresAt ?? 0) - (session?.createdAt ?? 0)).toBe(system.isAzure ? 7200 : 3600);
    }));

  it('completes at a mock service that returns one constant ID for all parts', () =>
    withCaptureServer({ reply: (request) => ({ body: mockAnswer(request) }) }, ({ baseUrl, requests }) =>
      withSystem(async (system) => {
        await system.startWorker({ destinations: [{ name: 'default', baseUrl, apiKey: 'sk-mock' }] });
        const { file } = await (await start(system, 3 * MiB, { concurrency: 1 })).result();
        expect(file.id).toBe('file-abc123');
        const completion = requests.find(({ path }) => path.endsWith('/complete'));
        expect(JSON.parse(String(completion?.body))).toMatchObject({ part_ids: Array(3).fill('part_abc123') });
      }),
    ));
});

/** The examples of the API's description, with the times and the size of this upload. */
function mockAnswer({ path }: CapturedRequest): object {
  const createdAt = Math.floor(Date.now() / 1000);
  if (path.endsWith('/parts'))
    return { id: 'part_abc123', object: 'upload.part', created_at: createdAt, upload_id: 'upload_abc123' };
  const common = { bytes: 3 * MiB, created_at: createdAt, filename: 'data.bin', purpose };
  const upload = { ...common, id: 'upload_abc123', object: 'upload', expires_at: createdAt + 3600 };
  if (!path.endsWith('/complete')) return { ...upload, status: 'pending' };
  return {
    ...upload,
    status: 'completed',
    file: { ...common, id: 'file-abc123', object: 'file', status: 'processed' },
  };
}

describe('a sync', () => {
  async function folder({ directory }: System, files: number): Promise<string> {
    const path = join(directory, 'folder');
    await mkdir(path);
    const names = Array.from({ length: files }, (_, index) => `${String(index).padStart(3, '0')}.txt`);
    await Promise.all(names.map((name) => writeFile(join(path, name), `content of ${name}`)));
    return path;
  }

  it('skips rows of the files list that it cannot read, reports them, and postpones deletions', () =>
    withSystem(async (system) => {
      await system.startWorker();
      const source = await folder(system, 3);
      const run = async (options = {}) => (await system.client.sync({ folder: source, purpose, ...options })).result();
      await run();
      await rm(join(source, '000.txt'));

      const other = { id: 'file-x', bytes: null, created_at: 'soon', filename: 'x', purpose: 'vision' };
      const listed = (row: unknown) => system.api.faults.add({ route: 'list', kind: 'alter', set: { '/data/-': row } });
      listed({ ...other, purpose });
      const postponed = await run({ delete: true });
      expect(postponed.counts).toMatchObject({ same: 2, unreadableRows: 1, deleted: 0 });
      expect(postponed.deletionsHeld).toContain('1 row of the files list');

      listed(other);
      expect((await run({ delete: true })).counts).toMatchObject({ same: 2, deleted: 1 });
    }));
});
