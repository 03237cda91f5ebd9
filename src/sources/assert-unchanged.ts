import { SourceChangedError } from '../errors.ts';
import type { SourceReader } from './source-reader.ts';

/**
 * @throws SourceChangedError when the source's fingerprint is another one now
 */
export async function assertUnchanged(reader: SourceReader, fingerprint: string): Promise<void> {
  const now = await reader.stat();
  if (now.fingerprint === fingerprint) return;
  throw new SourceChangedError(
    `the source is not what it was when the upload began (fingerprint ${fingerprint} then, ${now.fingerprint} now); ` +
      'start a new upload of what it is now',
  );
}
