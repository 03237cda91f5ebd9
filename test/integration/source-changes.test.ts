import { appendFile, open, readdir, readFile, rename, stat, symlink, truncate, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { FailureType } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { createDestination } from '../../src/destinations/kinds.ts';
import { memoryReader } from '../support/memory-reader.ts';
import { md5, randomFile } from '../support/random-file.ts';
import { KEY, MiB, partsReceived, withSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

const purpose = 'batch';
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

/** The upload's own handle ends in `SourceChanged`, and nothing of it stays open or complete at the service. */
async function expectSourceChanged(ending: Promise<unknown>, { uploads, api }: System): Promise<void> {
  await expect(ending).rejects.toMatchObject({ code: 'JOB_FAILED', failureType: FailureType.SourceChanged });
  expect(uploads()).toMatchObject([{ status: 'cancelled', completions: 0 }]);
  expect(api.stats().requests).not.toHaveProperty('complete');
}

describe('a file that is changed in the middle of its upload', () => {
  it.each<[string, (path: string) => Promise<unknown>]>([
    [
      'replaced by another of the same size and time',
      async (path) => {
        const { atime, mtime } = await stat(path);
        await randomFile(`${path}.new`, sizeBytes);
        await utimes(`${path}.new`, atime, mtime);
        await rename(`${path}.new`, path);
      },
    ],
    ['truncated', (path) => truncate(path, 5.5 * MiB)],
    ['emptied', (path) => truncate(path, 0)],
    ['appended to', (path) => appendFile(path, 'one more line')],
    ['written to at the same size', (path) => overwrite(path, 7 * MiB, 'other bytes')],
    ['written to where its parts are recorded already', (path) => overwrite(path, 0, 'other bytes')],
    ['touched, with its bytes as they were', (path) => utimes(path, new Date(), new Date())],
  ])('%s, ends it in SourceChanged, with the session cancelled and nothing completed', (_change, change) =>
    withSystem(async (system) => {
      const { client, startWorker, directory } = system;
      await startWorker({ transferSlots: 2 });
      const file = join(directory, 'changing.bin');
      await randomFile(file, sizeBytes);
      const handle = await client.upload({ file, purpose, partSizeBytes });
      await partsReceived(system, 2);
      await change(file);
      await expectSourceChanged(handle.result(), system);
    }, slow),
  );

  it('but only moved away and put back, goes up: size, time of change and inode are those it had', () =>
    withSystem(async (system) => {
      const { client, startWorker, directory, download, uploads } = system;
      await startWorker();
      const file = join(directory, 'moved.bin');
      const content = await randomFile(file, sizeBytes);
      const handle = await client.upload({ file, purpose, partSizeBytes, concurrency: 2 });
      await partsReceived(system, 2);
      await handle.pause();
      await until(async () => (await handle.status()).md5 !== null, 'the md5');
      const before = await stat(file, { bigint: true });
      await rename(file, `${file}.away`);
      await rename(`${file}.away`, file);
      const after = await stat(file, { bigint: true });
      expect(after.ino).toBe(before.ino);
      expect(after.mtimeNs).toBe(before.mtimeNs);
      expect(after.ctimeNs, 'ctime tells nothing of the bytes').not.toBe(before.ctimeNs);
      await handle.resume();

      const result = await handle.result();
      expect(result).toMatchObject({ parts: 8, partsSent: 8, sessions: 1 });
      expect(uploads()).toMatchObject([{ status: 'completed' }]);
      expect(md5(await download(result.file.id))).toBe(md5(content));
    }, slow));
});

describe('a symbolic link that is pointed elsewhere in the middle', () => {
  async function repoint(link: string, target: string): Promise<void> {
    await symlink(target, `${link}.new`);
    await rename(`${link}.new`, link);
  }

  async function makeLink(directory: string): Promise<{ link: string; other: string; content: Buffer }> {
    const content = await randomFile(join(directory, '2026-11-22.bin'), sizeBytes);
    const other = join(directory, '2026-11-23.bin');
    await randomFile(other, sizeBytes);
    const link = join(directory, 'latest.bin');
    await symlink(join(directory, '2026-11-22.bin'), link);
    return { link, other, content };
  }

  it('does not disturb the upload of what it led to when the upload was asked for', () =>
    withSystem(async (system) => {
      const { client, startWorker, directory, download } = system;
      await startWorker();
      const { link, other, content } = await makeLink(directory);
      const handle = await client.upload({ file: link, purpose, partSizeBytes });
      await partsReceived(system, 2);
      await repoint(link, other);
      const { file, sessions } = await handle.result();
      expect({ sessions, filename: file.filename }).toEqual({ sessions: 1, filename: 'latest.bin' });
      expect(md5(await download(file.id))).toBe(md5(content));
    }, slow));

  it('ends an upload in SourceChanged that names the link itself, which workers follow', () =>
    withSystem(async (system) => {
      const { client, startWorker, directory } = system;
      await startWorker({ transferSlots: 2 });
      const { link, other } = await makeLink(directory);
      const handle = await client.upload({ source: { type: 'file', path: link }, purpose, partSizeBytes });
      await partsReceived(system, 2);
      await repoint(link, other);
      await expectSourceChanged(handle.result(), system);
    }, slow));
});

it('a sparse file goes up byte by byte as it reads', () =>
  withSystem(async ({ client, startWorker, directory, download }) => {
    await startWorker();
    const file = join(directory, 'sparse.bin');
    await randomFile(file, 1000);
    await truncate(file, sizeBytes + 17);
    await overwrite(file, 3 * MiB - 4, 'across two parts');
    await overwrite(file, sizeBytes + 10, 'the end');
    const { blocks, size } = await stat(file);
    expect(blocks * 512, 'bytes on the disk').toBeLessThan(size / 2);
    const result = await (await client.upload({ file, purpose, partSizeBytes })).result();
    expect(md5(await download(result.file.id))).toBe(md5(await readFile(file)));
  }));

it('a disk that is slow with every read does not pass for a stalled connection', () =>
  withSystem(async ({ api, uploads }) => {
    const stallTimeoutMs = 1000;
    const client = createDestination({ name: 'default', baseUrl: api.url, apiKey: KEY, stallTimeoutMs });
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

describe('bytes that are damaged at the service make no File', () => {
  const damageOnePart = async ({ directory, uploads }: System): Promise<void> => {
    const [partId] = uploads()[0]?.partIds ?? [];
    const stored = (await readdir(join(directory, 'api'), { recursive: true })).find((path) =>
      path.endsWith(`${partId}`),
    );
    await overwrite(join(directory, 'api', `${stored}`), 1000, 'damaged');
  };

  const uploadDamaged = async (system: System, maxSessions: number) => {
    const { client, startWorker, directory } = system;
    await startWorker();
    const file = join(directory, 'damaged.bin');
    const content = await randomFile(file, sizeBytes);
    const handle = await client.upload({ file, purpose, partSizeBytes, concurrency: 2, maxSessions });
    await partsReceived(system, 2);
    await handle.pause();
    await damageOnePart(system);
    await handle.resume();
    return { handle, content };
  };

  it('but are sent once more in a new session, as the wrong md5 does not tell which they are', () =>
    withSystem(async (system) => {
      const { handle, content } = await uploadDamaged(system, 3);
      const result = await handle.result();
      expect(result.sessions).toBe(2);
      expect(md5(await system.download(result.file.id))).toBe(md5(content));
      expect(system.uploads()).toMatchObject([{ status: 'cancelled', completions: 0 }, { status: 'completed' }]);
    }, slow));

  it("and the failure says so in the API's words when no session is left", () =>
    withSystem(async (system) => {
      const { handle, content } = await uploadDamaged(system, 1);
      const failure = await handle.result().catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'JOB_FAILED', failureType: FailureType.ApiRejected });
      expect((failure as Error).message).toMatch(
        new RegExp(`md5 of the named Parts is [0-9a-f]{32}, not ${md5(content)}`),
      );
      expect(system.uploads()).toMatchObject([{ status: 'cancelled', completions: 0, fileId: null }]);
    }, slow));
});
