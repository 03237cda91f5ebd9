import type { SyncScope } from '../../../src/contracts/plan-sync.ts';
import type { RememberedFile } from '../../../src/contracts/sync.ts';
import { Defaults } from '../../../src/contracts/limits.ts';
import { PRINTABLE, syncFileName, syncFileNameProblem } from '../../../src/core/sync/file-name.ts';
import { nameKey } from '../../../src/core/text/name-form.ts';
import { isText, RowLimits } from '../memory-rows.ts';
import { parseJson } from '../../../src/core/text/parse.ts';

/** One row of a manifest, with the sync to which it belongs. */
export interface ManifestRow {
  readonly entry: RememberedFile;
  readonly destination: string;
  /** Undefined in a row of another program: it belongs to a sync of any purpose. */
  readonly purpose: string | undefined;
  readonly prefix: string;
}

type Json = Readonly<Record<string, unknown>>;

/** Parses a line. Unknown properties are ignored. @returns its problem, as the rest of a sentence, if it is not a row */
export function parseRow(line: string): ManifestRow | string {
  const row = parseJson(line);
  if (row === undefined) return 'is not valid JSON';
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return 'is not a JSON object';
  // Without a rest of properties, whose copy takes as long as all checks.
  const { path, size, time = null, md5 = null, fileId } = row as Json;
  const problem = pathProblem(path) ?? factsProblem({ size, md5, fileId }) ?? optionalProblem(row as Json);
  if (problem !== undefined) return problem;
  const ns = time === null ? undefined : nanoseconds(time);
  if (time !== null && ns === undefined) return 'has an invalid "time". Use a time such as "2026-11-28T20:15:00Z"';
  const {
    destination = Defaults.destination,
    purpose,
    prefix = '',
    createdAt,
    version,
    change,
    source,
  } = row as {
    readonly [Name in string]?: never;
  };
  const entry: RememberedFile = {
    path: path as string,
    sizeBytes: size as number,
    // The version of a local file is its modification time.
    version: version ?? (ns === undefined ? '' : ns.toString(36)),
    fileId: fileId as string,
    md5: md5 === null ? null : (md5 as string).toLowerCase(),
    createdAt,
    change,
    from: source,
    mtimeMs: version === undefined || ns === undefined ? undefined : Number(ns / 1_000_000n),
  };
  return { entry, destination, purpose, prefix };
}

export function isOfScope({ destination, purpose, prefix }: ManifestRow, scope: SyncScope): boolean {
  if (destination !== scope.destination || (purpose !== undefined && purpose !== scope.purpose)) return false;
  return nameKey(prefix) === nameKey(scope.prefix);
}

/** The line of an entry, without a line end; undefined if `parseRow` would reject it. */
export function lineOf(scope: SyncScope, entry: RememberedFile): string | undefined {
  const { path, sizeBytes, version, fileId, md5, createdAt, change, mtimeMs } = entry;
  const isFolder = scope.source.type === 'folder';
  const { destination, purpose, prefix } = scope;
  const line = JSON.stringify({
    path,
    size: sizeBytes,
    time: isFolder ? timeOfVersion(version) : mtimeMs === undefined ? null : new Date(mtimeMs).toISOString(),
    md5,
    fileId,
    createdAt,
    change,
    version: isFolder ? undefined : version,
    purpose,
    destination: destination === Defaults.destination ? undefined : destination,
    prefix: prefix === '' ? undefined : prefix,
    source: sourceOf(scope),
  });
  return typeof parseRow(line) === 'string' ? undefined : line;
}

/** The folder or bucket of a sync, without its host, which differs between machines that run the same sync. */
export function sourceOf({ source }: SyncScope): string {
  return source.type === 'folder' ? source.path : `s3://${source.bucket}/${source.prefix ?? ''}`;
}

function pathProblem(path: unknown): string | undefined {
  if (!isText(path, RowLimits.pathCharacters)) return 'has no valid "path"';
  const hasDot = path.startsWith('.') || path.includes('/.');
  if (path.startsWith('/') || (hasDot && /(?:^|\/)\.\.?(?:\/|$)/.test(path))) {
    return 'has a "path" that leads out of the source. Paths are relative, without "." and ".." segments';
  }
  return PRINTABLE.test(path) || syncFileNameProblem(syncFileName('', path)) === undefined
    ? undefined
    : 'has no valid "path"';
}

function factsProblem({ size, md5, fileId }: Json): string | undefined {
  if (!Number.isSafeInteger(size) || (size as number) < 0) return 'has no valid "size". Use a number of bytes';
  if (md5 !== null && !(typeof md5 === 'string' && /^[0-9a-f]{32}$/i.test(md5))) {
    return 'has an invalid "md5". Use 32 hexadecimal digits, or null';
  }
  return isText(fileId, RowLimits.fileIdCharacters) ? undefined : 'has no valid "fileId"';
}

function optionalProblem(row: Json): string | undefined {
  for (const { name, isValid } of optional) {
    const value = row[name];
    if (value !== undefined && !isValid(value)) return `has an invalid "${name}"`;
  }
  return undefined;
}

const optional = Object.entries<(value: unknown) => boolean>({
  createdAt: (value) => typeof value === 'number' && value >= 0 && value <= RowLimits.unixSeconds,
  change: (value) => isText(value, RowLimits.changeCharacters),
  version: (value) => isText(value, RowLimits.versionCharacters),
  purpose: (value) => isText(value, RowLimits.versionCharacters),
  destination: (value) => isText(value, RowLimits.versionCharacters),
  prefix: (value) => value === '' || isText(value, RowLimits.versionCharacters),
  source: (value) => isText(value, 2 * RowLimits.pathCharacters),
}).map(([name, isValid]) => ({ name, isValid }));

const TIME = /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/;

/** The second that was parsed last. Files that were created together often have the same one. */
const last = { text: '', ns: 0n };

/** Nanoseconds since 1970; undefined if the value is not a time. */
function nanoseconds(time: unknown): bigint | undefined {
  const [, seconds, fraction = '', zone] = (typeof time === 'string' && TIME.exec(time)) || [];
  if (seconds === undefined) return undefined;
  const text = `${seconds}${zone}`;
  if (text !== last.text) {
    const ms = Date.parse(text);
    if (Number.isNaN(ms)) return undefined;
    last.text = text;
    last.ns = BigInt(ms) * 1_000_000n;
  }
  return fraction === '' ? last.ns : last.ns + BigInt(Number(fraction.padEnd(9, '0')));
}

/** The modification time in the version of a local file; null if the version is not one. */
function timeOfVersion(version: string): string | null {
  if (!/^-?[0-9a-z]{1,14}$/.test(version)) return null;
  const isNegative = version.startsWith('-');
  let ns = 0n;
  for (const digit of isNegative ? version.slice(1) : version) ns = ns * 36n + BigInt(parseInt(digit, 36));
  if (isNegative) ns = -ns;
  const fraction = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const ms = Number((ns - fraction) / 1_000_000n);
  if (Math.abs(ms) > 8.64e15 || ms < -62_167_219_200_000 || ms > 253_402_300_799_000) return null;
  const digits = fraction.toString().padStart(9, '0').replace(/0+$/, '');
  return `${new Date(ms).toISOString().slice(0, 19)}${digits === '' ? '' : `.${digits}`}Z`;
}
