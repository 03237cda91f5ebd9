import type { RememberedFile } from '../../contracts/sync.ts';
import type { ListedFile } from '../../contracts/upload.ts';
import { nameKey } from '../text/name-form.ts';
import { FileTable } from './file-table.ts';
import type { ListedSource } from './listed-source.ts';
import { Packed } from './packed.ts';
import { TextHash, TextIndex } from './text-index.ts';

const NONE = -1;

/** The Files of a destination and the memory of a sync, by their names, paths, IDs and content. */
export class KnownFiles {
  readonly #files: FileTable;
  readonly #rows: Packed<RememberedFile>;
  readonly #rowByPath = new TextIndex();
  /** For each row: the position of its File at the destination. */
  readonly #fileOfRow: number[] = [];
  /** For each row: that position, if the File still has the size and creation time of the row. */
  readonly #sameFileOfRow: number[] = [];
  /** For each row: two hashes of the properties that show whether a source is unchanged. */
  readonly #states: number[] = [];
  readonly #state = new TextHash();
  /** For each File: its last row. */
  readonly #rowOfFile: number[];
  /** Whether several rows have the same path, of which the last one counts. Only a forged memory has such rows. */
  #repeatsPaths = false;
  /** Files of this sync at the destination, by size and MD5, at the first source without a File of its name. */
  #content: { readonly rows: TextIndex; readonly sizes: ReadonlySet<number> } | undefined;

  /**
   * @param files of the destination, newest first where seconds tie
   * @param rows empty list for the memory
   */
  constructor(files: Iterable<ListedFile>, rows = new Packed<RememberedFile>()) {
    this.#files = FileTable.of(files);
    this.#rows = rows;
    this.#rowOfFile = Array.from({ length: this.#files.length }, () => NONE);
  }

  /** Adds a row of the memory. @returns the position of an earlier row of its path */
  remember(row: RememberedFile): number | undefined {
    const position = this.#rows.add(row);
    const repeated = this.#rowByPath.set(row.path, position);
    if (repeated !== undefined) this.#repeatsPaths = true;
    const file = this.#files.positionOf(row.fileId) ?? NONE;
    const isSame =
      file !== NONE && this.#files.createdAtAt(file) === row.createdAt && this.#files.bytesAt(file) === row.sizeBytes;
    this.#fileOfRow.push(file);
    this.#sameFileOfRow.push(isSame ? file : NONE);
    this.#setState(row);
    this.#states.push(this.#state.low, this.#state.high);
    if (file !== NONE) this.#rowOfFile[file] = position;
    return repeated;
  }

  /**
   * Whether the row and the newest File of a source agree with it in all properties that are compared. Only hashes are
   * compared, which takes less than a microsecond.
   */
  isUnchanged(source: ListedSource, filename: string): boolean {
    const row = this.#rowByPath.get(source.path);
    if (row === undefined) return false;
    const file = this.#sameFileOfRow[row] as number;
    if (file === NONE || this.#files.newestOf(filename) !== file) return false;
    this.#setState(source);
    return this.#states[2 * row] === this.#state.low && this.#states[2 * row + 1] === this.#state.high;
  }

  #setState({ version, change = '', sizeBytes }: Pick<ListedSource, 'version' | 'change' | 'sizeBytes'>): void {
    this.#state.of(version).add(change).add(String(sizeBytes));
  }

  file(id: string): ListedFile | undefined {
    const position = this.#files.positionOf(id);
    return position === undefined ? undefined : this.#files.at(position);
  }

  hasFile(id: string): boolean {
    return this.#files.positionOf(id) !== undefined;
  }

  newest(filename: string): ListedFile | undefined {
    const position = this.#files.newestOf(filename);
    return position === undefined ? undefined : this.#files.at(position);
  }

  entry(path: string): RememberedFile | undefined {
    const row = this.#rowByPath.get(path);
    return row === undefined ? undefined : this.#rows.at(row);
  }

  entryOfFile(id: string): RememberedFile | undefined {
    const file = this.#files.positionOf(id);
    const row = file === undefined ? NONE : (this.#rowOfFile[file] as number);
    return row === NONE ? undefined : this.#rows.at(row);
  }

  /** The memory with newer entries. */
  *entries(newer: readonly RememberedFile[]): Iterable<RememberedFile> {
    const newerByPath = new Map(newer.map((entry) => [nameKey(entry.path), entry]));
    const earlier = this.#repeatsPaths
      ? new Map([...this.#rows].map((entry) => [nameKey(entry.path), entry])).values()
      : this.#rows;
    for (const entry of earlier) if (!newerByPath.has(nameKey(entry.path))) yield entry;
    yield* newerByPath.values();
  }

  /** The memory of Files that the destination does not have. */
  *missing(): Iterable<RememberedFile> {
    for (const [row, file] of this.#fileOfRow.entries()) if (file === NONE) yield this.#rows.at(row);
  }

  /** Whether a File of this sync has this size and a known MD5. */
  hasSize(sizeBytes: number): boolean {
    return this.#byContent().sizes.has(sizeBytes);
  }

  #byContent() {
    if (this.#content) return this.#content;
    const rows = new TextIndex();
    const sizes = new Set<number>();
    let row = 0;
    for (const { md5, sizeBytes } of this.#rows) {
      const file = this.#fileOfRow[row] as number;
      if (file !== NONE && md5 !== null) {
        const bytes = this.#files.bytesAt(file) ?? sizeBytes;
        rows.set(contentKey(bytes, md5), row);
        sizes.add(bytes);
      }
      row++;
    }
    return (this.#content = { rows, sizes });
  }

  /** A File of this sync with this content. */
  fileOf(sizeBytes: number, md5: string): ListedFile | undefined {
    const row = this.#byContent().rows.get(contentKey(sizeBytes, md5));
    return row === undefined ? undefined : this.#files.at(this.#fileOfRow[row] as number);
  }

  /** Undefined if neither the service nor the memory has it: such a File counts as a different one. */
  sizeOf(file: ListedFile): number | undefined {
    return file.bytes ?? this.entryOfFile(file.id)?.sizeBytes;
  }
}

function contentKey(sizeBytes: number, md5: string): string {
  return `${sizeBytes} ${md5}`;
}
