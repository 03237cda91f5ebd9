import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { FailureType, type JobHandle } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { md5, randomFile } from '../support/random-file.ts';
import { MiB, partsReceived, withSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const purpose = 'batch';
const partSizeBytes = MiB;

function toWait(handle: JobHandle<'upload'>, sessions: number): Promise<void> {
  const waits = async () => {
    const { state, sessionsOpened } = await handle.status();
    return state === 'waiting' && sessionsOpened === sessions;
  };
  return until(waits, 'the upload to wait');
}

describe('an upload that meets what a person can repair', () => {
  it('waits with the reason in plain words, loses nothing, and goes on when told', () =>
    withSystem(async ({ client, startWorker, directory, api, uploads, download }) => {
      await startWorker();
      const file = join(directory, 'forbidden.bin');
      const content = await randomFile(file, 6 * MiB);
      api.faults.add({ route: 'create', kind: 'status', status: 401 });
      api.faults.add({ route: 'part', kind: 'status', status: 403, skip: 3, count: 20 });
      const handle = await client.upload({ file, purpose, partSizeBytes, concurrency: 1 });

      await toWait(handle, 0);
      expect(await handle.status()).toMatchObject({ waiting: { failureType: FailureType.ApiRejected } });
      expect((await handle.status()).waiting?.reason).toMatch(/rejects the key \(401\)\. .* Last error: .*401/);
      expect(uploads()).toEqual([]);
      await handle.retry();
      await toWait(handle, 1);
      expect(await handle.status()).toMatchObject({ partsDone: 3, partsInFlight: 0 });
      await handle.retry();
      await until(() => (api.stats().requests['part']?.['403'] ?? 0) === 2, 'one part to probe');
      await toWait(handle, 1);

      api.faults.clear();
      expect(await handle.retry()).toMatchObject({ partsDone: 3 });
      const result = await handle.result();
      expect(result).toMatchObject({ sessions: 1, partsSent: 8 });
      expect(md5(await download(result.file.id))).toBe(md5(content));
      expect(uploads()).toMatchObject([{ partsReceived: 6, completions: 1 }]);
    }));

  it('waits for a file that is moved away, and goes on when the same file is back', () =>
    withSystem(
      async (system) => {
        const { client, startWorker, directory, download } = system;
        await startWorker();
        const file = join(directory, 'moved.bin');
        const content = await randomFile(file, 8 * MiB);
        const handle = await client.upload({ file, purpose, partSizeBytes, concurrency: 2 });
        await partsReceived(system, 2);
        await rename(file, `${file}.away`);
        await toWait(handle, 1);
        expect((await handle.status()).waiting?.reason).toMatch(/Restore it\..*moved\.bin/);
        await rename(`${file}.away`, file);
        await handle.retry();
        const result = await handle.result();
        expect(result.sessions).toBe(1);
        expect(md5(await download(result.file.id))).toBe(md5(content));
      },
      { bandwidthBytesPerSecond: 4 * MiB },
    ));
});

it('a session that can take no more parts in time is replaced before a part is refused', () =>
  withSystem(
    async (system) => {
      const { client, startWorker, directory, api, uploads, download } = system;
      await startWorker();
      const file = join(directory, 'slow.bin');
      const content = await randomFile(file, 8 * MiB);
      const handle = await client.upload({ file, purpose, partSizeBytes, concurrency: 2 });
      await partsReceived(system, 2);
      await handle.pause();
      await until(() => uploads()[0]?.status === 'expired', 'the session to expire');
      api.configure({ bandwidthBytesPerSecond: null, sessionLifeSeconds: 3600 });
      await handle.resume();
      const result = await handle.result();
      expect(result.sessions).toBe(2);
      expect(api.stats().requests['part']).toEqual({ 200: expect.any(Number) });
      expect(md5(await download(result.file.id))).toBe(md5(content));
    },
    { bandwidthBytesPerSecond: 4 * MiB, sessionLifeSeconds: 3 },
  ));
