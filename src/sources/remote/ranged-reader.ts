import type { ByteRange } from '../../contracts/sources.ts';
import { SourceUnusableError } from '../../errors.ts';
import type { SourceReader } from '../source-reader.ts';

/**
 * Some of a source's bytes, as if they were all of it. The fingerprint stays that of the whole, so that a change anywhere
 * is noticed.
 */
export function rangedReader(reader: SourceReader, { offsetBytes: start, sizeBytes }: ByteRange): SourceReader {
  return {
    stat: async (options) => {
      const whole = await reader.stat(options);
      if (start + sizeBytes > whole.sizeBytes) {
        const range = `the ${sizeBytes} bytes from ${start} on`;
        throw new SourceUnusableError(`${range} lie outside the source, which has ${whole.sizeBytes} bytes`);
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

/** Where a span of the range lies in the whole source. */
export function spanInWhole(span: ByteRange | undefined, range: ByteRange): ByteRange {
  if (span === undefined) return range;
  return { offsetBytes: range.offsetBytes + span.offsetBytes, sizeBytes: span.sizeBytes };
}
