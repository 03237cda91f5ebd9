import { createCipheriv, randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';

const CHUNK_BYTES = 1024 * 1024;

/** Writes a file whose parts all differ: the key stream of a cipher, which is faster than random numbers. */
export async function makeFile(path: string, sizeBytes: number): Promise<void> {
  const stream = createCipheriv('aes-256-ctr', randomBytes(32), randomBytes(16));
  const zeros = Buffer.alloc(CHUNK_BYTES);
  const file = await open(path, 'w');
  try {
    for (let written = 0; written < sizeBytes;) {
      const chunk = stream.update(zeros.subarray(0, Math.min(CHUNK_BYTES, sizeBytes - written)));
      await file.write(chunk);
      written += chunk.length;
    }
  } finally {
    await file.close();
  }
}
