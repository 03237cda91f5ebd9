import type { RememberedFile } from '../../src/contracts/sync.ts';
import { Packed, type PackedForm } from '../../src/core/sync/packed.ts';
import { TextFile } from './text-file.ts';
import { PRINTABLE, syncFileName, syncFileNameProblem } from '../../src/core/sync/file-name.ts';

/** About five times the number in a memory of 900,000 characters. */
export const MAX_ROWS = 100_000;

export const RowLimits = {
  /** Maximum length of a path on Linux. Keys of S3 are shorter. */
  pathCharacters: 4096,
  fileIdCharacters: 512,
  versionCharacters: 1024,
  changeCharacters: 64,
  /** The year 9999. */
  unixSeconds: 253_402_300_799,
} as const;

export type Row = readonly [
  path: string,
  sizeBytes: number,
  version: string,
  fileId: string,
  md5: string | null,
  createdAt?: number | null,
  change?: string,
];

export function rowOf({ path, sizeBytes, version, fileId, md5, createdAt, change }: RememberedFile): Row {
  const row = [path, sizeBytes, version, fileId, md5] as const;
  if (change !== undefined) return [...row, createdAt ?? null, change];
  return createdAt === undefined ? row : [...row, createdAt];
}

/** Returns the entry of a row; undefined if `rowOf` cannot have written it. */
export function entryOf(row: unknown): RememberedFile | undefined {
  if (!Array.isArray(row)) return undefined;
  const [path, sizeBytes, version, fileId, md5, createdAt = null, change] = row as unknown[];
  if (!isText(path, RowLimits.pathCharacters) || syncFileNameProblem(syncFileName('', path)) !== undefined)
    return undefined;
  if (!Number.isSafeInteger(sizeBytes) || (sizeBytes as number) < 0) return undefined;
  if (typeof version !== 'string' || version.length > RowLimits.versionCharacters) return undefined;
  if (!isText(fileId, RowLimits.fileIdCharacters)) return undefined;
  if (md5 !== null && !(typeof md5 === 'string' && /^[0-9a-f]{32}$/.test(md5))) return undefined;
  if (change !== undefined && !isText(change, RowLimits.changeCharacters)) return undefined;
  if (createdAt !== null && !isUnixSeconds(createdAt)) return undefined;
  return {
    path,
    sizeBytes: sizeBytes as number,
    version,
    fileId,
    md5,
    ...(createdAt === null ? {} : { createdAt }),
    change,
  };
}

/**
 * Counts the arrays and objects of a JSON text, and their depth, without building them: 16 MiB of `[[[[` would take
 * more than a GiB as objects.
 */
export function shapeOf(json: Uint8Array): { readonly containers: number; readonly depth: number } {
  let containers = 0;
  let depth = 0;
  let deepest = 0;
  let isInString = false;
  for (let index = 0; index < json.length; index++) {
    const byte = json[index];
    if (isInString) {
      if (byte === BACKSLASH) index++;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) isInString = true;
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      containers++;
      deepest = Math.max(deepest, ++depth);
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) depth--;
  }
  return { containers, depth: deepest };
}

const [QUOTE, BACKSLASH, OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = Array.from('"\\[]{}', (character) =>
  character.charCodeAt(0),
);

function isUnixSeconds(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= RowLimits.unixSeconds;
}

export function isText(value: unknown, maxCharacters: number): value is string {
  if (typeof value !== 'string' || value === '' || value.length > maxCharacters) return false;
  return PRINTABLE.test(value) || !/[\p{Cc}\p{Cs}]/u.test(value);
}

type PackedEntry = [...Required<Row>, mtimeMs: number | null, from: string | null];

/** The entries of a manifest, without the names of their properties. */
const packedEntry: PackedForm<RememberedFile> = {
  pack: ({ path, sizeBytes, version, fileId, md5, createdAt, change, mtimeMs, from }) => [
    path,
    sizeBytes,
    version,
    fileId,
    md5,
    createdAt,
    change,
    mtimeMs,
    from,
  ],
  unpack: ([path, sizeBytes, version, fileId, md5, createdAt, change, mtimeMs, from]: PackedEntry) => ({
    path,
    sizeBytes,
    version,
    fileId,
    md5,
    createdAt: createdAt ?? undefined,
    change: change ?? undefined,
    mtimeMs: mtimeMs ?? undefined,
    from: from ?? undefined,
  }),
};

/** An empty list for the entries of a manifest, which can be many. */
export function packedRows(): Packed<RememberedFile> {
  return new Packed(packedEntry, new TextFile());
}
