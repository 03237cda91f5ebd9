import type { SourceReader } from '../../src/sources/source-reader.ts';

export interface MemoryReaderOptions {
  /** Maximum length of the next read. @defaultValue the requested length */
  readonly nextReadBytes?: () => number;
  /** Awaited before a read at that offset writes into its buffer. */
  readonly beforeRead?: (offsetBytes: number) => Promise<void> | void;
}

/** A source in memory with configurable reads. */
export function memoryReader(content: Uint8Array, options: MemoryReaderOptions = {}): SourceReader {
  return {
    stat: () => Promise.resolve({ sizeBytes: content.byteLength, fingerprint: 'memory' }),
    read: async (buffer, offsetBytes) => {
      await options.beforeRead?.(offsetBytes);
      const wanted = Math.min(buffer.byteLength, options.nextReadBytes?.() ?? Infinity);
      const piece = content.subarray(offsetBytes, offsetBytes + wanted);
      buffer.set(piece);
      return piece.byteLength;
    },
    close: () => Promise.resolve(),
  };
}
