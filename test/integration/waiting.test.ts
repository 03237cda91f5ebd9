import { join } from 'node:path';
import { FailureType, type JobHandle } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { md5, randomFile } from '../support/random-file.ts';
import { MiB, withSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const purpose = 'assistants';
const partSizeBytes = MiB;

function toWait(handle: JobHandle<'upload'>, sessions: number): Promise<void> {
  const waits = async () => {
    const { state, sessionsOpened } = await handle.status();
    return state === 'waiting' && sessionsOpened === sessions;
  };
  return until(waits, 'the upload to wait');
}

describe('an upload with an error that an operator can fix', () => {
  it('waits with a clear reason, loses nothing, and continues on request', () =>
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
});
