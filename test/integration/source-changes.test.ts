import { open, readdir, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { FailureType } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { createDestination } from '../../src/destinations/kinds.ts';
import { memoryReader } from '../support/memory-reader.ts';
import { md5, randomFile } from '../support/random-file.ts';
import { KEY, MiB, partsReceived, withSystem } from '../support/system.ts';
import { useDisk } from '../support/use-disk.ts';

useDisk();

const purpose = 'assistants';
const partSizeBytes = MiB;
const sizeBytes = 8 * MiB;

/** Slow enough that a change hits the middle, of parts too. */
const slow = { bandwidthBytesPerSecond: 4 * MiB };

async function overwrite(path: string, offsetBytes: number, text: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.write(text, offsetBytes);
  } finally {
    await file.close();
  }
}

describe('a file that is changed during its upload', () => {
  it('fails the upload with SourceChanged, and the session is cancelled', () =>
    withSystem(async (system) => {
      const { client, startWorker, directory } = system;
      await startWorker({ transferSlots: 2 });
      const file = join(directory, 'changing.bin');
      await randomFile(file, sizeBytes);
      const handle = await client.upload({ file, purpose, partSizeBytes });
      await partsReceived(system, 2);
      await overwrite(file, 7 * MiB, 'other bytes');
      await expect(handle.result()).rejects.toMatchObject({
        code: 'JOB_FAILED',
        failureType: FailureType.SourceChanged,
      });
      expect(system.uploads()).toMatchObject([{ status: 'cancelled', completions: 0 }]);
      expect(system.api.stats().requests).not.toHaveProperty('complete');
    }, slow));
});

it('a symbolic link that changes to another target does not affect the upload of the first', () =>
  withSystem(async (system) => {
    const { client, startWorker, directory, download } = system;
    await startWorker();
    const content = await randomFile(join(directory, '2026-11-22.bin'), 4 * MiB);
    const other = join(directory, '2026-11-23.bin');
    await randomFile(other, 4 * MiB);
    const link = join(directory, 'latest.bin');
    await symlink(join(directory, '2026-11-22.bin'), link);
    const handle = await client.upload({ file: link, purpose, partSizeBytes });
    await partsReceived(system, 2);
    await symlink(other, `${link}.new`);
    await rename(`${link}.new`, link);
    const { file, sessions } = await handle.result();
    expect({ sessions, filename: file.filename }).toEqual({ sessions: 1, filename: 'latest.bin' });
    expect(md5(await download(file.id))).toBe(md5(content));
  }, slow));

it('a disk with slow reads is not treated as a stalled connection', () =>
  withSystem(async ({ api, uploads, isAzure }) => {
    const stallTimeoutMs = 400;
    const client = createDestination({
      name: 'default',
      kind: isAzure ? 'azure' : 'openai',
      baseUrl: api.url,
      apiKey: KEY,
      stallTimeoutMs,
    });
    try {
      const content = Buffer.alloc(sizeBytes, 'slow');
      let reads = 0;
      const beforeRead = () => {
        reads += 1;
        return new Promise<void>((resolve) => void setTimeout(resolve, stallTimeoutMs / 5));
      };
      const reader = memoryReader(content, { beforeRead });
      const session = { filename: 'slow.bin', purpose, bytes: sizeBytes, mimeType: 'text/plain' };
      const { uploadId } = await client.open(session);
      await client.send(uploadId, { reader, partNumber: 1, offsetBytes: 0, sizeBytes });
      expect(reads, 'reads that together take longer than a stall').toBeGreaterThan(5);
      expect(uploads()).toMatchObject([{ partsReceived: 1, bytesStored: sizeBytes }]);
    } finally {
      await client.close();
    }
  }));

it('bytes that are damaged at the service are all resent in a new session', () =>
  withSystem(async (system) => {
    const { client, startWorker, directory, uploads, download } = system;
    await startWorker();
    const file = join(directory, 'damaged.bin');
    const content = await randomFile(file, 4 * MiB);
    const handle = await client.upload({ file, purpose, partSizeBytes, concurrency: 1 });
    await partsReceived(system, 1);
    await handle.pause();
    const [partId] = uploads()[0]?.partIds ?? [];
    const stored = (await readdir(join(directory, 'api'), { recursive: true })).find((path) =>
      path.endsWith(`${partId}`),
    );
    await overwrite(join(directory, 'api', `${stored}`), 1000, 'damaged');
    system.api.configure({ bandwidthBytesPerSecond: null });
    await handle.resume();
    const result = await handle.result();
    expect(result.sessions).toBe(2);
    expect(md5(await download(result.file.id))).toBe(md5(content));
    expect(uploads()).toMatchObject([{ status: 'cancelled', completions: 0 }, { status: 'completed' }]);
  }, slow));
