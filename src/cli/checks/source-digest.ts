import { createHash } from 'node:crypto';
import type { SourceReader } from '../../sources/source-reader.ts';

/** Digests of some content, as lower-case hex. */
export interface ContentDigest {
  readonly bytes: number;
  readonly md5: string;
  /** If it was requested. */
  readonly sha256: string | undefined;
}

const READ_BYTES = 1024 * 1024;

/** Reads some content once. */
export async function digestOf(chunks: AsyncIterable<Uint8Array>, withSha256: boolean): Promise<ContentDigest> {
  const md5 = createHash('md5');
  const sha256 = withSha256 ? createHash('sha256') : undefined;
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    md5.update(chunk);
    sha256?.update(chunk);
  }
  return { bytes, md5: md5.digest('hex'), sha256: sha256?.digest('hex') };
}

/** The content of a source from its start to `sizeBytes`, or to its end. A chunk is overwritten by the next one. */
export async function* contentOf(
  reader: SourceReader,
  sizeBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(Math.min(READ_BYTES, sizeBytes));
  for (let at = 0; at < sizeBytes;) {
    signal.throwIfAborted();
    const read = await reader.read(buffer.subarray(0, Math.min(buffer.length, sizeBytes - at)), at);
    if (read === 0) return;
    at += read;
    yield buffer.subarray(0, read);
  }
}
