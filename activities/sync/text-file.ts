import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TextStore } from '../../src/core/sync/packed.ts';

/** Bytes in memory before they are written. */
const IN_MEMORY_BYTES = 1024 * 1024;

/** Closes the file of a list that is no longer used. */
const unused = new FinalizationRegistry<number>((fd) => closeSync(fd));

/**
 * Texts in a temporary file without a name, so that the lists of a sync need the same memory for any number of files. A
 * short list stays in memory, and also a list for which no file can be created.
 */
export class TextFile implements TextStore {
  /** Start of each text in the file, and the end of the last one. */
  readonly #starts: number[] = [0];
  readonly #inMemory: Buffer[] = [];
  #pendingBytes = 0;
  #fd: number | undefined;
  #canWrite = true;
  readonly #inMemoryBytes: number;
  #last: { readonly position: number; readonly text: string } | undefined;

  constructor(inMemoryBytes: number = IN_MEMORY_BYTES) {
    this.#inMemoryBytes = inMemoryBytes;
  }

  add(text: string): void {
    const bytes = Buffer.from(text);
    this.#starts.push((this.#starts.at(-1) as number) + bytes.byteLength);
    this.#inMemory.push(bytes);
    this.#pendingBytes += bytes.byteLength;
    if (this.#pendingBytes > this.#inMemoryBytes) this.#write();
  }

  at(position: number): string {
    if (this.#last?.position === position) return this.#last.text;
    const first = this.#starts.length - 1 - this.#inMemory.length;
    const text = (position < first ? this.#read(position) : this.#inMemory[position - first])?.toString() ?? '';
    this.#last = { position, text };
    return text;
  }

  #write(): void {
    if (!this.#canWrite) return;
    const start = this.#starts.at(-1 - this.#inMemory.length) as number;
    try {
      this.#fd ??= this.#create();
      const bytes = Buffer.concat(this.#inMemory);
      for (let done = 0; done < bytes.byteLength;) {
        done += writeSync(this.#fd, bytes, done, bytes.byteLength - done, start + done);
      }
      this.#inMemory.length = 0;
      this.#pendingBytes = 0;
    } catch {
      // No directory for temporary files, or a full disk: the texts stay in memory.
      this.#canWrite = false;
    }
  }

  #create(): number {
    const path = join(tmpdir(), `longhaul-${randomUUID()}`);
    const fd = openSync(path, 'wx+', 0o600);
    unused.register(this, fd);
    unlinkSync(path);
    return fd;
  }

  #read(position: number): Buffer {
    const [start, end] = [this.#starts[position] as number, this.#starts[position + 1] as number];
    const bytes = Buffer.allocUnsafe(end - start);
    for (let done = 0; done < bytes.byteLength;) {
      const read = readSync(this.#fd as number, bytes, done, bytes.byteLength - done, start + done);
      if (read === 0) throw new Error('a temporary file of this process was truncated');
      done += read;
    }
    return bytes;
  }
}
