import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { SyncScope } from '../../src/contracts/plan-sync.ts';
import type { RememberedFile, SyncMemory } from '../../src/contracts/sync.ts';
import { nameKey } from '../../src/core/text/name-form.ts';
import { checkMemory, MAX_MEMORY_CHARACTERS } from '../../src/core/sync/memory-shape.ts';
import { jsonDigest } from '../../src/json-digest.ts';
import { entryOf, MAX_ROWS, rowOf, shapeOf } from './memory-rows.ts';

/** 20,000 rows of 800 bytes each. A memory of 900,000 characters has fewer. */
const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;

export interface UnpackedMemory {
  readonly entries: readonly RememberedFile[];
  /** Reason for which a memory was ignored; undefined if it was read, is of another source or destination, or is missing. */
  readonly problem?: string;
}

/** Entries in the order in which they were recorded. If not all fit, the oldest are dropped. */
export async function packMemory(
  scope: SyncScope,
  entries: readonly RememberedFile[],
  maxCharacters: number = MAX_MEMORY_CHARACTERS,
): Promise<SyncMemory> {
  // A row that cannot be parsed would make the whole memory unusable.
  let rows = entries
    .map(rowOf)
    .filter((row) => entryOf(row) !== undefined)
    .slice(-MAX_ROWS);
  for (;;) {
    const json = JSON.stringify({ scope: digestOf(scope), rows });
    const unpackedBytes = Buffer.byteLength(json);
    const data = unpackedBytes > MAX_UNPACKED_BYTES ? '' : (await promisify(gzip)(json)).toString('base64');
    const excess = Math.max(unpackedBytes / MAX_UNPACKED_BYTES, data.length / maxCharacters);
    if (excess <= 1 || rows.length === 0) {
      return { format: 'gzip-rows-1', entries: rows.length, dropped: entries.length - rows.length, data };
    }
    const kept = Math.floor((rows.length * 0.97) / excess);
    rows = kept === 0 ? [] : rows.slice(-kept);
  }
}

/**
 * Reads a memory, which any caller of Temporal can write. A memory that is damaged, too large or forged is ignored as a
 * whole: files are then compared by name, size and time, and no File is deleted.
 */
export async function unpackMemory(scope: SyncScope, memory: SyncMemory | null): Promise<UnpackedMemory> {
  const { memory: checked, problem } = checkMemory(memory);
  if (problem !== undefined) return { entries: [], problem };
  return checked ? oneAtATime(() => unpack(scope, checked.data)) : { entries: [] };
}

async function unpack(scope: SyncScope, data: string): Promise<UnpackedMemory> {
  const json = await promisify(gunzip)(Buffer.from(data, 'base64'), { maxOutputLength: MAX_UNPACKED_BYTES }).catch(
    (error: NodeJS.ErrnoException) => error.code ?? 'its data is damaged',
  );
  if (typeof json === 'string') {
    const isTooLarge = json === 'ERR_BUFFER_TOO_LARGE';
    return { entries: [], problem: isTooLarge ? 'it is too large after decompression' : 'its data is damaged' };
  }
  const { containers, depth } = shapeOf(json);
  if (containers > MAX_ROWS + 2) return { entries: [], problem: 'it has too many rows' };
  const content = depth > 3 ? undefined : parse(json);
  if (!content) return { entries: [], problem: 'its data is damaged' };
  // After a change of the source or the destination, its rows are about other Files.
  if (content.scope !== digestOf(scope)) return { entries: [] };
  const byPath = new Map<string, RememberedFile>();
  for (const [index, row] of content.rows.entries()) {
    const entry = entryOf(row);
    if (!entry) return { entries: [], problem: `row ${index + 1} is invalid` };
    if (byPath.has(entry.path)) return { entries: [], problem: `row ${index + 1} repeats the path of an earlier row` };
    byPath.set(entry.path, entry);
  }
  return { entries: [...byPath.values()] };
}

function parse(json: Buffer): { readonly scope: string; readonly rows: readonly unknown[] } | undefined {
  try {
    const { scope, rows } = JSON.parse(json.toString()) as { readonly scope?: unknown; readonly rows?: unknown };
    return typeof scope === 'string' && Array.isArray(rows) ? { scope, rows } : undefined;
  } catch {
    return undefined;
  }
}

let last: Promise<unknown> = Promise.resolve();

/** Decompresses one memory after the other, because a hundred at the same time would need a hundred times the space. */
function oneAtATime<T>(run: () => Promise<T>): Promise<T> {
  const turn = last.then(run);
  last = turn.catch(() => {});
  return turn;
}

/** Filters the entries with the current globs, which can differ from those of the last run. */
function digestOf({ source, destination, purpose, prefix }: SyncScope): string {
  const place =
    source.type === 'folder' ? [source.host, source.path] : [source.bucket, source.prefix, source.connection];
  return jsonDigest([source.type, ...place, destination, purpose, nameKey(prefix)], 16);
}
