import type { ByteRange } from '../../contracts/sources.ts';
import { SourceUnusableError } from '../../errors.ts';
import type { SourceReader } from '../source-reader.ts';

/**
 * A range of a source that is read like a whole source. Its fingerprint is that of the whole source, so that every change
 * is detected.
 */
export function rangedReader(reader: SourceReader, { offsetBytes: start, sizeBytes }: ByteRange): SourceReader {
  return {
    stat: async (options) => {
      const whole = await reader.stat(options);
      if (start + sizeBytes > whole.sizeBytes) {
        const range = `the range of ${sizeBytes} bytes at offset ${start}`;
        throw new SourceUnusableError(`${range} exceeds the source of ${whole.sizeBytes} bytes. Use a smaller range.`);
      }
      return { sizeBytes, fingerprint: whole.fingerprint };
    },
    read: async (buffer, offsetBytes) => {
      const left = Math.max(sizeBytes - offsetBytes, 0);
      if (left === 0) return 0;
      return reader.read(buffer.byteLength > left ? buffer.subarray(0, left) : buffer, start + offsetBytes);
    },
    identity: reader.identity ? () => reader.identity?.() as string : undefined,
    close: () => reader.close(),
  };
}

/** The position of a part of the range in the whole source. */
export function spanInWhole(span: ByteRange | undefined, range: ByteRange): ByteRange {
  if (span === undefined) return range;
  return { offsetBytes: range.offsetBytes + span.offsetBytes, sizeBytes: span.sizeBytes };
}
