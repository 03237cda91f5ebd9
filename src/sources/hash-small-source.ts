import type { HashSourceInput } from '../contracts/activities.ts';
import { SourceChangedError } from '../errors.ts';
import { assertUnchanged } from './assert-unchanged.ts';
import { createMd5State } from './md5-state.ts';
import { openSource } from './open-source.ts';

/**
 * md5 of a source that is small enough to be held in memory, in lower-case hex.
 *
 * @throws SourceChangedError when the source is another one before or after it was read, or ends too early
 * @throws SourceMissingError, SourceUnusableError and SourceReadError when it can't be read
 */
export async function hashSmallSource({ source, fingerprint, sizeBytes }: HashSourceInput): Promise<string> {
  const reader = await openSource(source);
  try {
    await assertUnchanged(reader, fingerprint);
    const content = Buffer.allocUnsafe(sizeBytes);
    let offsetBytes = 0;
    while (offsetBytes < sizeBytes) {
      const bytesRead = await reader.read(content.subarray(offsetBytes), offsetBytes);
      if (bytesRead === 0)
        throw new SourceChangedError('the source ended before its size; it was cut while it was read');
      offsetBytes += bytesRead;
    }
    await assertUnchanged(reader, fingerprint);
    const md5 = await createMd5State(undefined, sizeBytes);
    md5.update(content);
    return md5.digest();
  } finally {
    await reader.close();
  }
}
