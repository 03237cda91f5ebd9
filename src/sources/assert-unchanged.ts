import { ignoresInode, isExpected } from '../core/upload/fingerprint.ts';
import { SourceChangedError } from '../errors.ts';
import type { SourceInfo, SourceReader } from './source-reader.ts';

/**
 * @param fingerprint the expected fingerprint, with or without an inode (see `withoutInode`)
 * @returns the current size and fingerprint
 * @throws SourceChangedError if the source has another fingerprint
 */
export async function assertUnchanged(reader: SourceReader, fingerprint: string): Promise<SourceInfo> {
  const now = await reader.stat({ ignoreInode: ignoresInode(fingerprint) });
  if (isExpected(now.fingerprint, fingerprint)) return now;
  throw new SourceChangedError(
    `the source changed after the start of the upload (fingerprint ${fingerprint} then, ${now.fingerprint} now). ` +
      'Start a new upload.',
  );
}
