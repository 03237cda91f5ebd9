import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { HashSourceResult } from '../../../../src/contracts/activities.ts';
import type { HashCheckpoint } from '../../../../src/contracts/content.ts';
import { ContentInvalidError } from '../../../../src/errors.ts';
import { hashingReader, hashSource } from '../../../../src/sources/digest/digest-source.ts';
import { hashReader } from '../../../../src/sources/digest/hash-reader.ts';
import { Sources } from '../../../../src/sources/sources.ts';
import { memoryReader } from '../../../support/memory-reader.ts';
import { withTempDir } from '../../../support/temp-dir.ts';
import type { SourceReader } from '../../../../src/sources/source-reader.ts';

const content = randomBytes(1000);
const md5 = createHash('md5').update(content).digest('hex');

/** Gives at most 300 bytes a read. */
function opened(storedMd5?: string) {
  const reader: SourceReader = {
    stat: () => Promise.resolve({ sizeBytes: content.byteLength, fingerprint: 'f' }),
    read: (buffer, offsetBytes) => Promise.resolve(content.copy(buffer, 0, offsetBytes, offsetBytes + 300)),
    storedMd5: () => storedMd5,
    close: () => Promise.resolve(),
  };
  return hashingReader(reader, { source: { type: 'file', path: '/f' }, sizeBytes: content.byteLength });
}

async function readFrom(reader: SourceReader, offsetBytes: number, endBytes = content.byteLength): Promise<void> {
  let at = offsetBytes;
  while (at < endBytes) at += await reader.read(Buffer.alloc(endBytes - at), at);
}

describe('a hashing reader', () => {
  it('returns the MD5 of the bytes that were read', async () => {
    const reader = opened();
    await readFrom(reader, 0);
    expect(reader.result().md5).toBe(md5);
  });

  it('returns the MD5 of the last pass if there are several', async () => {
    const reader = opened();
    await readFrom(reader, 0, 700);
    await readFrom(reader, 0);
    expect(reader.result().md5).toBe(md5);
  });

  it('uses the MD5 of the store', async () => {
    const reader = opened('0123456789abcdef0123456789abcdef');
    await readFrom(reader, 0);
    expect(reader.result().md5).toBe('0123456789abcdef0123456789abcdef');
  });

  it('returns no MD5 if bytes were skipped', async () => {
    const reader = opened();
    await readFrom(reader, 0, 600);
    expect(() => reader.result().md5).toThrow('not read through');
    await readFrom(reader, 700);
    expect(() => reader.result().md5).toThrow('not read through');
  });
});

it('does not use the MD5 of the store for a source that changed', async () => {
  const reader = { ...memoryReader(content), storedMd5: () => md5 };
  const sources = { open: () => Promise.resolve(reader) } as unknown as Sources;
  const { signal } = new AbortController();
  const source = { type: 's3', bucket: 'b', key: 'k' } as const;
  const options = { source, sizeBytes: content.byteLength, signal };
  expect(await hashSource(sources, { ...options, fingerprint: 'memory' })).toEqual({ md5 });
  const changed = hashSource(sources, { ...options, fingerprint: 'earlier' });
  await expect(changed).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
});

describe('a pass with a check', () => {
  const inTemp = (text: string, body: (run: (changes?: object) => Promise<HashSourceResult>) => Promise<void>) =>
    withTempDir(async (directory) => {
      const path = join(directory, 'lines.jsonl');
      await writeFile(path, text);
      const sources = new Sources();
      const source = { type: 'file', path } as const;
      const reader = await sources.open(source);
      const info = await reader.stat();
      await reader.close();
      const signal = new AbortController().signal;
      await body((changes = {}) => hashSource(sources, { source, ...info, signal, check: 'jsonl', ...changes }));
    });
  // More than 1 MiB, which a thread reads.
  const many = '{"a":"b"}\n'.repeat(150_000);

  it.each([
    ['small', '{}\n{}\n'],
    ['large', many],
  ])('returns the MD5 of a %s valid file', (_, text) =>
    inTemp(text, async (run) => {
      const expected = createHash('md5').update(text).digest('hex');
      expect(await run()).toEqual({ md5: expected });
      expect(await run({ onlyCheck: true })).toEqual({ md5: '' });
      expect(await run({ maxLines: 1, check: undefined })).toEqual({ md5: expected });
      await expect(run({ maxLines: 1 })).rejects.toThrow(/line 2 exceeds the maximum of 1 lines of a File/);
    }),
  );

  it.each([
    ['small', '{}\n'],
    ['large', many],
  ])('rejects a %s invalid file with the line and the reason, without content', (_, text) =>
    inTemp(`${text}{"canary"\n`, async (run) => {
      const line = text.split('\n').length;
      const found = { invalid: 1, problems: [{ line, reason: 'is not valid JSON at byte 10' }] };
      for (const changes of [{}, { onlyCheck: true }]) {
        const error = await run(changes).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(ContentInvalidError);
        expect(error).toMatchObject({ code: 'CONTENT_INVALID', content: found });
        expect((error as Error).message).toMatch(
          /1 line is not accepted by the check "jsonl": line \d+ is not valid JSON/,
        );
        expect((error as Error).message).not.toContain('canary');
      }
    }),
  );

  it('resumes from a checkpoint, with the numbers of the lines of the whole source', async () => {
    const text = Buffer.from(`${'{"a":1}\n'.repeat(1000)}[]\n`);
    let reads = 0;
    const reader = memoryReader(text, { beforeRead: () => void reads++ });
    let isStopping = true;
    const run = (resumeFrom?: HashCheckpoint) =>
      hashReader(reader, {
        fingerprint: 'memory',
        sizeBytes: text.byteLength,
        check: 'jsonl',
        resumeFrom,
        onCheckpoint: () => {},
        chunkBytes: 6000,
        checkpointEveryMs: 0,
        isStopping: () => isStopping,
      });
    const stopped = await run();
    if (!('checkpoint' in stopped)) throw new Error('it did not stop');
    expect(stopped.checkpoint.offsetBytes).toBe(6000);
    expect(stopped.checkpoint.check?.length).toBeLessThan(200);
    [isStopping, reads] = [false, 0];
    expect(await run(stopped.checkpoint)).toMatchObject({
      invalid: { lines: 1001, invalid: 1, problems: [{ line: 1001, reason: 'is not a JSON object' }] },
    });
    expect(reads).toBe(1);
  });
});
