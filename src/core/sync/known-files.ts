import type { RememberedFile } from '../../contracts/sync.ts';
import type { ListedFile } from '../../contracts/upload.ts';
import { nameKey } from '../text/name-form.ts';
import { Packed, PackedIndex } from './packed.ts';

/** The Files of a destination and the memory of a sync, by their names, paths, IDs and content. */
export class KnownFiles {
  readonly #files: Packed<ListedFile>;
  readonly #filesById: PackedIndex<ListedFile>;
  /** By names in one Unicode form (see `nameKey`), like paths. */
  readonly #newestByName: PackedIndex<ListedFile>;
  readonly remembered: Packed<RememberedFile>;
  readonly #rememberedByPath: PackedIndex<RememberedFile>;
  /** Whether several entries have the same path, of which the last one counts. Only a forged memory has such entries. */
  #repeatsPaths = false;
  /** The last one of each File. */
  readonly #rememberedByFileId: PackedIndex<RememberedFile>;
  /** Files of this sync at the destination, by size and MD5, at the first source without a File of its name. */
  #content: { readonly rows: PackedIndex<RememberedFile>; readonly sizes: ReadonlySet<number> } | undefined;

  /** @param files of the destination, newest first where seconds tie */
  constructor(files: Iterable<ListedFile>, remembered: Iterable<RememberedFile>) {
    this.#files = Packed.of(files);
    this.#filesById = new PackedIndex(this.#files, ({ id }) => id);
    this.#newestByName = new PackedIndex(this.#files, ({ filename }) => nameKey(filename));
    let position = 0;
    for (const { id, filename, createdAt } of this.#files) {
      this.#filesById.set(id, position);
      this.#newestByName.set(nameKey(filename), position, (newest) => createdAt > newest.createdAt);
      position++;
    }
    this.remembered = Packed.of(remembered);
    this.#rememberedByPath = new PackedIndex(this.remembered, ({ path }) => nameKey(path));
    this.#rememberedByFileId = new PackedIndex(this.remembered, ({ fileId }) => fileId);
    position = 0;
    for (const { path, fileId } of this.remembered) {
      this.#rememberedByPath.set(nameKey(path), position, () => (this.#repeatsPaths = true));
      this.#rememberedByFileId.set(fileId, position);
      position++;
    }
  }

  file(id: string): ListedFile | undefined {
    return this.#filesById.get(id);
  }

  /** The newest File of a name. */
  newest(filename: string): ListedFile | undefined {
    return this.#newestByName.get(nameKey(filename));
  }

  /** The memory of a path. */
  entry(path: string): RememberedFile | undefined {
    return this.#rememberedByPath.get(nameKey(path));
  }

  /** The memory of a File. */
  entryOfFile(id: string): RememberedFile | undefined {
    return this.#rememberedByFileId.get(id);
  }

  /** The memory with newer entries. */
  *entries(newer: readonly RememberedFile[]): Iterable<RememberedFile> {
    const newerByPath = new Map(newer.map((entry) => [nameKey(entry.path), entry]));
    const earlier = this.#repeatsPaths
      ? new Map([...this.remembered].map((entry) => [nameKey(entry.path), entry])).values()
      : this.remembered;
    for (const entry of earlier) if (!newerByPath.has(nameKey(entry.path))) yield entry;
    yield* newerByPath.values();
  }

  /** Whether a File of this sync has this size and a known MD5. */
  hasSize(sizeBytes: number): boolean {
    return this.#byContent().sizes.has(sizeBytes);
  }

  #byContent() {
    if (this.#content) return this.#content;
    const keyOf = (entry: RememberedFile) => {
      const bytes = this.#bytesOf(entry);
      return bytes === undefined || entry.md5 === null ? undefined : contentKey(bytes, entry.md5);
    };
    const rows = new PackedIndex(this.remembered, keyOf);
    const sizes = new Set<number>();
    let position = 0;
    for (const entry of this.remembered) {
      const bytes = this.#bytesOf(entry);
      if (bytes !== undefined && entry.md5 !== null) {
        rows.set(contentKey(bytes, entry.md5), position);
        sizes.add(bytes);
      }
      position++;
    }
    return (this.#content = { rows, sizes });
  }

  /** A File of this sync with this content. */
  fileOf(sizeBytes: number, md5: string): ListedFile | undefined {
    const entry = this.#byContent().rows.get(contentKey(sizeBytes, md5));
    return entry && this.#filesById.get(entry.fileId);
  }

  /** Undefined if the File of an entry does not exist. */
  #bytesOf({ fileId, sizeBytes }: RememberedFile): number | undefined {
    const file = this.#filesById.get(fileId);
    return file && (file.bytes ?? sizeBytes);
  }

  /** Undefined if neither the service nor the memory has it: such a File counts as a different one. */
  sizeOf(file: ListedFile): number | undefined {
    return file.bytes ?? this.#rememberedByFileId.get(file.id)?.sizeBytes;
  }
}

function contentKey(sizeBytes: number, md5: string): string {
  return `${sizeBytes} ${md5}`;
}
