import { TextIndex } from '../../src/core/sync/text-index.ts';
import type { SyncAmount } from '../../src/contracts/sync.ts';

/** The paths of a listing, by hashes only, and their total size. */
export class ListedPaths {
  readonly #paths = new TextIndex();
  readonly #names = new TextIndex();
  #files = 0;
  #bytes = 0;

  get amount(): SyncAmount {
    return { files: this.#files, bytes: this.#bytes };
  }

  /** @param filename of its File. @returns whether no earlier path has the same name */
  add({ path, sizeBytes }: { readonly path: string; readonly sizeBytes: number }, filename: string): boolean {
    const position = this.#files++;
    this.#bytes += sizeBytes;
    this.#paths.set(path, position);
    return this.#names.set(filename, position) === undefined;
  }

  has(path: string): boolean {
    return this.#paths.get(path) !== undefined;
  }
}
