import { ignoresInode, isExpected } from '../core/upload/fingerprint.ts';
import { SourceChangedError } from '../errors.ts';
import type { SourceInfo, SourceReader } from './source-reader.ts';

/**
 * @param fingerprint expected one, with or without an inode (see `withoutInode`)
 * @returns what the source is now
 * @throws SourceChangedError when the source's fingerprint is another one now
 */
export async function assertUnchanged(reader: SourceReader, fingerprint: string): Promise<SourceInfo> {
  const now = await reader.stat({ ignoreInode: ignoresInode(fingerprint) });
  if (isExpected(now.fingerprint, fingerprint)) return now;
  throw new SourceChangedError(
    `the source is not what it was when the upload began (fingerprint ${fingerprint} then, ${now.fingerprint} now); ` +
      'start a new upload of what it is now',
  );
}
