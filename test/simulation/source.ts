import { SourceMissingError, SourceReadError } from '../../src/errors.ts';
import type { SourceReader } from '../../src/sources/source-reader.ts';

/** One source without bytes. Its content has a name, which is also its fingerprint. */
export class ModelSource {
  sizeBytes: number;
  content = 'v1';
  /** Why it cannot be opened now. */
  problem: 'missing' | 'unreadable' | undefined;
  #edits = 0;

  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes;
  }

  edit(sizeBytes = this.sizeBytes): void {
    this.sizeBytes = sizeBytes;
    this.content = `v${++this.#edits + 1}`;
  }

  assertReadable(): void {
    if (this.problem === 'missing') throw new SourceMissingError('the source is missing');
    if (this.problem === 'unreadable') throw new SourceReadError('reading the source failed (EIO)');
  }

  async open(): Promise<SourceReader> {
    this.assertReadable();
    return {
      stat: () => Promise.resolve({ sizeBytes: this.sizeBytes, fingerprint: this.content }),
      read: () => Promise.reject(new SourceReadError('a simulation reads no bytes')),
      close: () => Promise.resolve(),
    };
  }
}
