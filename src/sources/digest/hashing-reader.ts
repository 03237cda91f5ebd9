import { Md5State } from './md5-state.ts';
import type { SourceReader } from '../source-reader.ts';

export interface HashingReader extends SourceReader {
  /**
   * md5 of the whole source in lower-case hex: the one that the store has, else that of what was read.
   *
   * @throws Error when it was not read from its begin to its end; a second pass counts anew
   */
  md5(): string;
}

/** A reader that takes the md5 of what is read from it, on the event loop: two milliseconds for each MiB. */
export function hashingReader(reader: SourceReader, sizeBytes: number): HashingReader {
  let state = new Md5State(undefined, sizeBytes);
  return {
    stat: (options) => reader.stat(options),
    read: async (buffer, offsetBytes) => {
      const bytesRead = await reader.read(buffer, offsetBytes);
      if (offsetBytes === 0) state = new Md5State(undefined, sizeBytes);
      if (offsetBytes === state.offsetBytes) state.update(buffer.subarray(0, bytesRead));
      return bytesRead;
    },
    md5: () => {
      if (state.offsetBytes !== sizeBytes) throw new Error('the source was not read through');
      return reader.storedMd5?.() ?? state.digest();
    },
    close: () => reader.close(),
  };
}
