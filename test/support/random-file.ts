import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';

/** Writes random bytes and returns them. */
export async function randomFile(path: string, sizeBytes: number): Promise<Buffer> {
  const content = randomBytes(sizeBytes);
  await writeFile(path, content);
  return content;
}

export function md5(content: Uint8Array): string {
  return createHash('md5').update(content).digest('hex');
}
