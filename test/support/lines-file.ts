import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';

/** Writes lines of random length, `longest` at most with their end, until the file has that size, and returns it. */
export async function linesFile(
  path: string,
  sizeBytes: number,
  { longest = 64 * 1024, lineEnd = '\n' }: { longest?: number; lineEnd?: string } = {},
): Promise<Buffer> {
  const content = Buffer.from(
    randomBytes(Math.ceil(sizeBytes / 2))
      .toString('hex')
      .slice(0, sizeBytes),
  );
  for (let at = 0; at < sizeBytes;) {
    const length = lineEnd.length + 1 + Math.floor(Math.random() * (longest - lineEnd.length - 1));
    if (at + length > sizeBytes) break;
    content.write(lineEnd, at + length - lineEnd.length);
    at += length;
  }
  await writeFile(path, content);
  return content;
}
