import type { SyncScope } from '../../../src/contracts/plan-sync.ts';
import type { ForgottenFile, RememberedFile } from '../../../src/contracts/sync.ts';
import { Packed, PackedIndex } from '../../../src/core/sync/packed.ts';
import { nameKey } from '../../../src/core/text/name-form.ts';
import { ManifestError } from '../../../src/errors.ts';
import { Breather } from '../../../src/sources/listing/listing.ts';
import type { ManifestStore } from '../../../src/sources/manifest/store.ts';
import { packedEntry } from '../memory-rows.ts';
import { LineProblem, linesIn } from './lines.ts';
import { isOfScope, lineOf, parseRow, sourceOf, type ManifestRow } from './rows.ts';

export interface ManifestChanges {
  readonly add: readonly RememberedFile[];
  /** Rows with other Files of these paths are kept, because another sync has written them. */
  readonly remove: readonly ForgottenFile[];
  /** Whether a File exists at the service. A row with a newer File is kept. @defaultValue every File exists */
  readonly exists?: (fileId: string) => boolean;
}

type Content = AsyncIterable<Uint8Array> | undefined;

/** The memory of a sync in a file or an object with one JSON line for each File, which other syncs can use too. */
export class SyncManifest {
  readonly #store: ManifestStore;
  readonly #scope: SyncScope;

  constructor(store: ManifestStore, scope: SyncScope) {
    this.#store = store;
    this.#scope = scope;
  }

  /**
   * Returns the rows of this sync. None exist before the first run.
   *
   * @throws ManifestError if a line cannot be read, and the errors of the store
   */
  read(signal: AbortSignal): Promise<Packed<RememberedFile>> {
    return this.#store.read(async (content) => {
      const entries = new Packed<RememberedFile>(packedEntry);
      const byPath = new PackedIndex(entries, ({ path }) => nameKey(path));
      const lines: number[] = [];
      const own = sourceOf(this.#scope);
      for await (const { row, line } of this.#rows(content)) {
        if (!isOfScope(row, this.#scope)) continue;
        const { entry } = row;
        const key = nameKey(entry.path);
        // Without the place of almost all rows.
        const position = entries.add(entry.from === own ? { ...entry, from: undefined } : entry);
        lines.push(line);
        byPath.set(key, position, (earlier) => {
          const first = lines[[...entries].findIndex(({ path }) => path === earlier.path)];
          throw this.#invalid(`line ${line} repeats the path of line ${first}. Remove one of the two lines.`);
        });
      }
      return entries;
    }, signal);
  }

  /**
   * Adds and removes rows. All other rows are kept as they are, so that syncs can share a manifest.
   *
   * @throws as `read`. The manifest is then unchanged
   */
  async record(changes: ManifestChanges, signal: AbortSignal): Promise<void> {
    if (changes.add.length + changes.remove.length === 0) return;
    await this.#store.update((content) => this.#rewritten(content, changes), signal);
  }

  async *#rewritten(content: Content, { add, remove, exists = () => true }: ManifestChanges): AsyncGenerator<string> {
    const added = new Map(add.map((entry) => [nameKey(entry.path), entry]));
    const removed = new Map(remove.map((one) => [nameKey(one.path), one.fileId]));
    const written = new Set<string>();
    const line = (entry: RememberedFile) => {
      const text = lineOf(this.#scope, entry);
      return text === undefined ? '' : `${text}\n`;
    };
    let lines = '';
    for await (const { row, text } of this.#rows(content)) {
      const key = isOfScope(row, this.#scope) ? nameKey(row.entry.path) : undefined;
      const entry = key === undefined ? undefined : added.get(key);
      if (key !== undefined && entry !== undefined) {
        if (!written.has(key))
          lines += isNewer(row.entry, entry) && exists(row.entry.fileId) ? `${text}\n` : line(entry);
        written.add(key);
      } else if (key === undefined || removed.get(key) !== row.entry.fileId) lines += `${text}\n`;
      if (lines.length < 65_536) continue;
      yield lines;
      lines = '';
    }
    for (const [key, entry] of added) if (!written.has(key)) lines += line(entry);
    yield lines;
  }

  async *#rows(
    content: Content,
  ): AsyncGenerator<{ readonly row: ManifestRow; readonly line: number; readonly text: string }> {
    if (!content) return;
    const breather = new Breather();
    try {
      for await (const group of linesIn(content)) {
        for (const { number, text, isCut } of group) {
          const row = parseRow(text);
          if (typeof row !== 'string') yield { row, line: number, text };
          else if (isCut)
            throw this.#invalid(`line ${number} is the last line and ${row}. The file can be truncated. ${FIX}`);
          else throw this.#invalid(`line ${number} ${row}. ${FIX}`);
        }
        await breather.breathe();
      }
    } catch (error) {
      throw error instanceof LineProblem ? this.#invalid(`${error.message}. ${FIX}`) : error;
    }
  }

  #invalid(problem: string): ManifestError {
    return new ManifestError(`cannot use the manifest ${this.#store.name}: ${problem}`);
  }
}

const FIX = 'Correct or remove the line, or use another manifest.';

function isNewer(one: RememberedFile, other: RememberedFile): boolean {
  return one.fileId !== other.fileId && (one.createdAt ?? 0) > (other.createdAt ?? 0);
}
