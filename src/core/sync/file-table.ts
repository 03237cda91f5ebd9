import type { ListedFile } from '../../contracts/upload.ts';
import { Packed, type PackedForm, type TextStore } from './packed.ts';
import { TextIndex } from './text-index.ts';

/** Files of a destination by their IDs and names. Its positions are those in the list. */
export class FileTable implements Iterable<ListedFile> {
  readonly #rows: Packed<ListedFile>;
  readonly #byId = new TextIndex();
  readonly #newestByName = new TextIndex();
  readonly #createdAt: number[] = [];
  /** NaN if the service does not return it. */
  readonly #bytes: number[] = [];

  /** @param texts of its rows. @defaultValue in memory */
  constructor(texts?: TextStore) {
    this.#rows = new Packed(packedFile, texts);
  }

  static of(files: Iterable<ListedFile>): FileTable {
    if (files instanceof FileTable) return files;
    const table = new FileTable();
    for (const file of files) table.add(file);
    return table;
  }

  get length(): number {
    return this.#rows.length;
  }

  /** Adds a File. Of Files of a name that were created in the same second, the first one counts as the newest. */
  add(file: ListedFile): void {
    const position = this.#rows.add(file);
    const { id, filename, createdAt, bytes } = file;
    this.#createdAt.push(createdAt);
    this.#bytes.push(bytes ?? NaN);
    this.#byId.set(id, position);
    const newest = this.#newestByName.set(filename, position);
    if (newest !== undefined && createdAt <= (this.#createdAt[newest] as number)) {
      this.#newestByName.set(filename, newest);
    }
  }

  at(position: number): ListedFile {
    return this.#rows.at(position);
  }

  positionOf(id: string): number | undefined {
    return this.#byId.get(id);
  }

  newestOf(filename: string): number | undefined {
    return this.#newestByName.get(filename);
  }

  bytesAt(position: number): number | undefined {
    const bytes = this.#bytes[position] as number;
    return Number.isNaN(bytes) ? undefined : bytes;
  }

  createdAtAt(position: number): number {
    return this.#createdAt[position] as number;
  }

  [Symbol.iterator](): IterableIterator<ListedFile> {
    return this.#rows[Symbol.iterator]();
  }
}

type PackedFile = [
  id: string,
  filename: string,
  bytes: number | null,
  createdAt: number,
  purpose: string,
  status: string | null,
  expiresAt: number | null,
];

const packedFile: PackedForm<ListedFile> = {
  pack: ({ id, filename, bytes, createdAt, purpose, status, expiresAt }) => [
    id,
    filename,
    bytes,
    createdAt,
    purpose,
    status,
    expiresAt,
  ],
  unpack: ([id, filename, bytes, createdAt, purpose, status, expiresAt]: PackedFile) => ({
    id,
    filename,
    bytes,
    createdAt,
    purpose,
    status: status ?? undefined,
    expiresAt: expiresAt ?? undefined,
  }),
};
