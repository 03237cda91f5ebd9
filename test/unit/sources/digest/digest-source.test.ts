import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hashingReader } from '../../../../src/sources/digest/digest-source.ts';
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
  return hashingReader(reader, content.byteLength);
}

async function readFrom(reader: SourceReader, offsetBytes: number, endBytes = content.byteLength): Promise<void> {
  let at = offsetBytes;
  while (at < endBytes) at += await reader.read(Buffer.alloc(endBytes - at), at);
}

describe('a hashing reader', () => {
  it('returns the MD5 of the bytes that were read', async () => {
    const reader = opened();
    await readFrom(reader, 0);
    expect(reader.md5()).toBe(md5);
  });

  it('counts only the last pass of several', async () => {
    const reader = opened();
    await readFrom(reader, 0, 700);
    await readFrom(reader, 0);
    expect(reader.md5()).toBe(md5);
  });

  it('uses the MD5 of the store', async () => {
    const reader = opened('0123456789abcdef0123456789abcdef');
    await readFrom(reader, 0);
    expect(reader.md5()).toBe('0123456789abcdef0123456789abcdef');
  });

  it('returns no MD5 if bytes were skipped', async () => {
    const reader = opened();
    await readFrom(reader, 0, 600);
    expect(() => reader.md5()).toThrow('not read through');
    await readFrom(reader, 700);
    expect(() => reader.md5()).toThrow('not read through');
  });
});
