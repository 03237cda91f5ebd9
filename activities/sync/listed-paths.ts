import { syncFileName } from '../../src/core/sync/file-name.ts';
import { Packed, PackedIndex } from '../../src/core/sync/packed.ts';
import { nameKey } from '../../src/core/text/name-form.ts';
import type { SyncAmount } from '../../src/contracts/sync.ts';

/** The paths of a listing, and their total size. */
export class ListedPaths {
  readonly #paths = new Packed<string>();
  readonly #byPath = new PackedIndex(this.#paths, nameKey);
  readonly #byName: PackedIndex<string>;
  readonly #prefix: string;
  #bytes = 0;

  /** @param prefix of the names of Files */
  constructor(prefix: string) {
    this.#prefix = prefix;
    this.#byName = new PackedIndex(this.#paths, (path) => syncFileName(prefix, path));
  }

  get amount(): SyncAmount {
    return { files: this.#paths.length, bytes: this.#bytes };
  }

  /** @returns whether no earlier path has the same name of its File */
  add({ path, sizeBytes }: { readonly path: string; readonly sizeBytes: number }): boolean {
    const position = this.#paths.add(path);
    this.#bytes += sizeBytes;
    this.#byPath.set(nameKey(path), position);
    let isOnly = true;
    this.#byName.set(syncFileName(this.#prefix, path), position, () => (isOnly = false));
    return isOnly;
  }

  has(path: string): boolean {
    return this.#byPath.get(nameKey(path)) !== undefined;
  }
}
