import type { SyncScope } from '../../../src/contracts/plan-sync.ts';
import type { ForgottenFile, RememberedFile } from '../../../src/contracts/sync.ts';
import { nameKey } from '../../../src/core/text/name-form.ts';
import { ManifestError } from '../../../src/errors.ts';
import { Breather } from '../../../src/sources/listing/listing.ts';
import type { ManifestContent, ManifestStore } from '../../../src/sources/manifest/store.ts';
import { LineProblem, linesIn } from './lines.ts';
import { isOfScope, lineOf, parseRow, sourceOf, type ManifestRow } from './rows.ts';

export interface ManifestChanges {
  readonly add: readonly RememberedFile[];
  /** Rows with other Files of these paths are kept, because another sync has written them. */
  readonly remove: readonly ForgottenFile[];
  /** Whether a File exists at the service. A row with a newer File is kept. @defaultValue every File exists */
  readonly exists?: (fileId: string) => boolean;
}

interface NumberedRow {
  readonly row: ManifestRow;
  readonly line: number;
  readonly text: string;
}

/** The memory of a sync in a file or an object with one JSON line for each File, which other syncs can use too. */
export class SyncManifest {
  readonly #store: ManifestStore;
  readonly #scope: SyncScope;
  /** Whether the manifest did not exist when it was read. */
  #isMissing = false;

  constructor(store: ManifestStore, scope: SyncScope) {
    this.#store = store;
    this.#scope = scope;
  }

  /**
   * Passes the rows of this sync on. None exist before the first run.
   *
   * @param remember adds a row, and returns the number of an earlier row of its path, counted from 0
   * @returns the number of rows
   * @throws ManifestError if a line cannot be read, and the errors of the store
   */
  read(remember: (row: RememberedFile) => number | undefined, signal: AbortSignal): Promise<number> {
    return this.#store.read(async (content) => {
      this.#isMissing = content === undefined;
      const lines: number[] = [];
      const own = sourceOf(this.#scope);
      for await (const group of this.#rows(content)) {
        for (const { row, line } of group) {
          if (!isOfScope(row, this.#scope)) continue;
          const { entry } = row;
          // Without the place of almost all rows.
          const earlier = remember(entry.from === own ? { ...entry, from: undefined } : entry);
          if (earlier !== undefined)
            throw this.#invalid(
              `line ${line} repeats the path of line ${lines[earlier]}. Remove one of the two lines.`,
            );
          lines.push(line);
        }
      }
      return lines.length;
    }, signal);
  }

  /**
   * Adds and removes rows. All other rows are kept as they are, so that syncs can share a manifest. Creates the manifest if it
   * was missing, also without rows.
   *
   * @throws as `read`. The manifest is then unchanged
   */
  async record(changes: ManifestChanges, signal: AbortSignal): Promise<void> {
    if (changes.add.length + changes.remove.length === 0 && !this.#isMissing) return;
    await this.#store.update((content) => this.#rewritten(content, changes), signal);
    this.#isMissing = false;
  }

  async *#rewritten(
    content: ManifestContent,
    { add, remove, exists = () => true }: ManifestChanges,
  ): AsyncGenerator<string> {
    const added = new Map(add.map((entry) => [nameKey(entry.path), entry]));
    const removed = new Map(remove.map((one) => [nameKey(one.path), one.fileId]));
    const written = new Set<string>();
    const line = (entry: RememberedFile) => {
      const text = lineOf(this.#scope, entry);
      return text === undefined ? '' : `${text}\n`;
    };
    let lines = '';
    for await (const group of this.#rows(content)) {
      for (const { row, text } of group) {
        const key = isOfScope(row, this.#scope) ? nameKey(row.entry.path) : undefined;
        const entry = key === undefined ? undefined : added.get(key);
        if (key !== undefined && entry !== undefined) {
          if (!written.has(key))
            lines += isNewer(row.entry, entry) && exists(row.entry.fileId) ? `${text}\n` : line(entry);
          written.add(key);
        } else if (key === undefined || removed.get(key) !== row.entry.fileId) lines += `${text}\n`;
      }
      yield lines;
      lines = '';
    }
    for (const [key, entry] of added) if (!written.has(key)) lines += line(entry);
    yield lines;
  }

  /** In groups, because a promise for each row costs more than the row. */
  async *#rows(content: ManifestContent): AsyncGenerator<readonly NumberedRow[]> {
    if (!content) return;
    const breather = new Breather();
    try {
      for await (const group of linesIn(content)) {
        yield group.map(({ number, text, isCut }): NumberedRow => {
          const row = parseRow(text);
          if (typeof row !== 'string') return { row, line: number, text };
          if (!isCut) throw this.#invalid(`line ${number} ${row}. ${FIX}`);
          throw this.#invalid(`line ${number} is the last line and ${row}. The file can be truncated. ${FIX}`);
        });
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
