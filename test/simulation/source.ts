import type { Container, Source } from '../../src/contracts/sources.ts';
import { SourceMissingError, SourceReadError } from '../../src/errors.ts';
import type { Listing } from '../../src/sources/listing/listing.ts';
import type { PathFilter } from '../../src/sources/listing/path-filter.ts';
import type { SourceReader } from '../../src/sources/source-reader.ts';
import { SHORTEST_LINE } from './plan.ts';
import { digestOfSource } from './service.ts';

const SPACE = 0x20;

/** A reader whose bytes have a name. */
export interface ModelReader extends SourceReader {
  /** @returns the name of the bytes that it would read now */
  content(): string;
}

/** The name of the bytes of a source, or of a range of it, from its fingerprint. */
export function contentOfSource(fingerprint: string, source: Source): string {
  const { range } = source as { readonly range?: { readonly offsetBytes: number } };
  const content = fingerprint.split('.')[0] as string;
  return range ? `${content}+${range.offsetBytes}` : content;
}

/** One file without bytes. Its content has a name, with which its fingerprint starts. */
export class ModelFile {
  sizeBytes: number;
  content: string;
  mtimeMs: number;
  #touches = 0;

  constructor(sizeBytes: number, content: string, mtimeMs: number) {
    this.sizeBytes = sizeBytes;
    this.content = content;
    this.mtimeMs = mtimeMs;
  }

  get fingerprint(): string {
    return this.#touches === 0 ? this.content : `${this.content}.${this.#touches}`;
  }

  /** Writes the same bytes again. */
  touch(nowMs: number): void {
    this.#touches++;
    this.mtimeMs = nowMs;
  }

  write(content: string, sizeBytes: number, nowMs: number): void {
    Object.assign(this, { content, sizeBytes, mtimeMs: nowMs });
  }
}

/** What happens to the files of a folder. */
export type FolderEdit =
  | { readonly edit: 'change' | 'add'; readonly path: string; readonly sizeBytes: number }
  | { readonly edit: 'touch' | 'remove'; readonly path: string }
  | { readonly edit: 'move'; readonly path: string; readonly to: string };

/** All sources of a simulation: one file, or the objects of a bucket. */
export class ModelSources {
  readonly files = new Map<string, ModelFile>();
  /** Why nothing can be opened or listed now. */
  problem: 'missing' | 'unreadable' | undefined;
  readonly #nowMs: () => number;
  readonly #isInvalid: (content: string, sizeBytes: number) => boolean;
  #contents = 0;

  constructor(nowMs: () => number, isInvalid: (content: string, sizeBytes: number) => boolean) {
    this.#nowMs = nowMs;
    this.#isInvalid = isInvalid;
  }

  add(path: string, sizeBytes: number): void {
    this.files.set(path, new ModelFile(sizeBytes, this.#newContent(), this.#nowMs()));
  }

  apply(edit: FolderEdit): void {
    const { path } = edit;
    const file = this.files.get(path);
    if (edit.edit === 'add' && !file) this.add(path, edit.sizeBytes);
    if (!file) return;
    if (edit.edit === 'change') file.write(this.#newContent(), edit.sizeBytes, this.#nowMs());
    if (edit.edit === 'touch') file.touch(this.#nowMs());
    if (edit.edit === 'remove') this.files.delete(path);
    if (edit.edit === 'move' && !this.files.has(edit.to)) {
      this.files.delete(path);
      this.files.set(edit.to, file);
    }
  }

  assertReadable(): void {
    if (this.problem === 'missing') throw new SourceMissingError('the source is missing');
    if (this.problem === 'unreadable') throw new SourceReadError('reading the source failed (EIO)');
  }

  at(source: Source): ModelFile {
    this.assertReadable();
    const path = source.type === 's3' ? source.key : (source as { readonly path: string }).path;
    const file = this.files.get(path);
    if (!file) throw new SourceMissingError(`${path} is missing`);
    return file;
  }

  async open(source: Source): Promise<ModelReader> {
    this.at(source);
    const { range } = source as { readonly range?: { readonly sizeBytes: number } };
    const stat = () => {
      const { sizeBytes, fingerprint } = this.at(source);
      return { sizeBytes: range?.sizeBytes ?? sizeBytes, fingerprint };
    };
    return {
      content: () => contentOfSource(this.at(source).fingerprint, source),
      stat: async () => stat(),
      // One line for the check, if there is one. The digest is that of the store.
      read: (buffer, offsetBytes) => {
        const { content, sizeBytes } = this.at(source);
        buffer.fill(SPACE);
        if (offsetBytes === 0)
          buffer.set(
            Buffer.from(this.#isInvalid(content, sizeBytes) ? '[]' : SHORTEST_LINE).subarray(0, buffer.length),
          );
        return Promise.resolve(Math.min(buffer.length, stat().sizeBytes - offsetBytes));
      },
      storedMd5: () => {
        const { fingerprint, sizeBytes } = stat();
        return digestOfSource(contentOfSource(fingerprint, source), sizeBytes);
      },
      close: () => Promise.resolve(),
    };
  }

  list(_: Container, { filter }: { readonly filter: PathFilter }): Listing {
    this.assertReadable();
    const entries = [...this.files]
      .filter(([path]) => filter.takes(path))
      .map(([path, { sizeBytes, mtimeMs, fingerprint }]) => {
        return { path, sizeBytes, mtimeMs, fingerprint, version: fingerprint };
      })
      .toSorted((a, b) => (a.path < b.path ? -1 : 1));
    return { entries, problems: [], leftOut: [], unseen: [], isComplete: true };
  }

  #newContent(): string {
    return `v${++this.#contents}`;
  }
}
