import type { Source } from '../../src/contracts/sources.ts';
import { SourceMissingError, SourceReadError } from '../../src/errors.ts';
import type { SourceReader } from '../../src/sources/source-reader.ts';

/** A reader whose bytes have a name. */
export interface ModelReader extends SourceReader {
  /** @returns the name of the bytes that it would read now */
  content(): string;
}

/** The name of the bytes of a source, or of a range of it. */
export function contentOfSource(content: string, source: Source): string {
  const { range } = source as { readonly range?: { readonly offsetBytes: number } };
  return range ? `${content}+${range.offsetBytes}` : content;
}

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

  async open(source: Source): Promise<ModelReader> {
    this.assertReadable();
    const { range } = source as { readonly range?: { readonly sizeBytes: number } };
    return {
      content: () => contentOfSource(this.content, source),
      stat: () => Promise.resolve({ sizeBytes: range?.sizeBytes ?? this.sizeBytes, fingerprint: this.content }),
      read: () => Promise.reject(new SourceReadError('a simulation reads no bytes')),
      close: () => Promise.resolve(),
    };
  }
}
