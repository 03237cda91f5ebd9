import type { ByteRange } from '../contracts/sources.ts';
import { SourceUnusableError } from '../errors.ts';
import type { SourceInfo, SourceReader } from './source-reader.ts';

/** A range of a source, as if it were a source of its own. The fingerprint stays that of the whole. */
export class RangeReader implements SourceReader {
  readonly #whole: SourceReader;
  readonly #range: ByteRange;

  constructor(whole: SourceReader, range: ByteRange) {
    this.#whole = whole;
    this.#range = range;
  }

  /** @throws SourceUnusableError when the source ends before the range does */
  async stat(): Promise<SourceInfo> {
    const { sizeBytes, fingerprint } = await this.#whole.stat();
    const endBytes = this.#range.offsetBytes + this.#range.sizeBytes;
    if (endBytes > sizeBytes) {
      throw new SourceUnusableError(`the source has ${sizeBytes} bytes, the range of it ends at ${endBytes}`);
    }
    return { sizeBytes: this.#range.sizeBytes, fingerprint };
  }

  async read(buffer: Uint8Array, offsetBytes: number): Promise<number> {
    const left = Math.max(this.#range.sizeBytes - offsetBytes, 0);
    const wanted = left < buffer.byteLength ? buffer.subarray(0, left) : buffer;
    return wanted.byteLength === 0 ? 0 : this.#whole.read(wanted, this.#range.offsetBytes + offsetBytes);
  }

  close(): Promise<void> {
    return this.#whole.close();
  }
}
