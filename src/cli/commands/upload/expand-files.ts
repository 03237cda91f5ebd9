import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { FailureType } from '../../../contracts/failures.ts';
import { compileGlobs, globListProblem, isGlob, splitGlob } from '../../../core/glob/glob.ts';
import { ConfigError, SourceMissingError } from '../../../errors.ts';
import { pathBehindDescriptor, pathOnDisk } from '../../../sources/file/paths.ts';
import { listFolder } from '../../../sources/file/list-folder.ts';
import type { LeftOut, Listing } from '../../../sources/listing/listing.ts';
import { createPathFilter, type PathFilter } from '../../../sources/listing/path-filter.ts';
import { assertNoOtherUrl, isHttpUrl, isSourceUrl, partsOfS3Url } from '../../../sources/source-of-url.ts';
import type { Sources } from '../../../sources/sources.ts';
import { isReadable } from '../../sources/source-settings.ts';

/** The command follows each upload separately. Use a sync for more files. */
const MAX_FILES = 500;

const LINE_BREAK = {
  failureType: FailureType.SourceUnusable,
  message: 'its name contains a line break. Upload it separately with --filename.',
};
const UNREADABLE = {
  failureType: FailureType.SourceMissing,
  message: 'permission denied. Grant this user read access to it.',
};

export interface ExpandedFiles {
  /** Paths and URLs. */
  readonly files: readonly string[];
  /** Files that were found and cannot be uploaded. */
  readonly skipped: readonly LeftOut[];
}

/**
 * Returns the files of the arguments. A directory selects all files in it. A quoted glob selects the files that match, and
 * hidden files only if it names the dot, as in a shell. A file whose name looks like a glob is that file. For objects of
 * S3, see `expandBucket`.
 *
 * @throws ConfigError if an argument selects no file, or all select too many
 * @throws SourceMissingError, SourceReadError if a directory cannot be listed
 */
export async function expandFiles(
  names: readonly string[],
  bucket: Pick<Bucket, 'sources' | 'connection' | 'nameProblem'>,
): Promise<ExpandedFiles> {
  const expanded: ExpandedFiles[] = [];
  for (const name of names) expanded.push(await expand(name, { ...bucket, maxObjects: MAX_FILES }));
  const files = expanded.flatMap((one) => one.files);
  if (files.length > MAX_FILES) {
    throw new ConfigError(
      `cannot upload ${files.length} files with one command: the maximum is ${MAX_FILES}. Use "longhaul sync".`,
    );
  }
  return { files, skipped: expanded.flatMap(({ skipped }) => skipped) };
}

async function expand(given: string, bucket: Bucket): Promise<ExpandedFiles> {
  if (given === '-' || isHttpUrl(given)) return only(given);
  if (isSourceUrl(given)) return expandBucket(given, bucket);
  const name = await pathOnDisk(await pathBehindDescriptor(given));
  const stats = await stat(name).catch(() => undefined);
  if (stats === undefined) assertNoOtherUrl(given);
  if (stats?.isDirectory()) {
    return gather(name, createPathFilter([], []), bucket, `the directory ${name} contains no file.`);
  }
  if (stats !== undefined || !isGlob(name)) return only(name);
  assertGlob(name);
  const { folder, rest } = splitGlob(name);
  return gather(
    (await pathOnDisk(folder)) || '.',
    globFilter(rest),
    bucket,
    `no file matches ${name}. Check the path.`,
  );
}

function only(file: string): ExpandedFiles {
  return { files: [file], skipped: [] };
}

/** @param none message if nothing is found */
async function gather(
  folder: string,
  filter: PathFilter,
  { nameProblem }: Pick<Bucket, 'nameProblem'>,
  none: string,
): Promise<ExpandedFiles> {
  const { entries, problems, leftOut } = await listFolder({ type: 'folder', path: resolve(folder) }, { filter });
  const files: string[] = [];
  const skipped = [...problems, ...leftOut].map((problem) => ({ ...problem, path: join(folder, problem.path) }));
  for (const { path } of entries) {
    const file = join(folder, path);
    const unnamed = unnamable(path, nameProblem);
    if (unnamed) skipped.push({ path: file, ...unnamed });
    else if (await isReadable(file)) files.push(file);
    else skipped.push({ path: file, ...UNREADABLE });
  }
  if (files.length + skipped.length === 0) throw new ConfigError(none);
  return { files, skipped };
}

function assertGlob(glob: string): void {
  const problem = globListProblem([glob]);
  if (problem !== undefined) throw new ConfigError(`the list of files ${problem}`);
}

/** Returns a filter that does not list directories deeper than the glob. */
function globFilter(glob: string): PathFilter {
  const takes = compileGlobs([glob], { dot: false });
  const depth = glob.includes('**') ? Infinity : glob.split('/').length;
  return { takes, skipsFolder: (path) => path.split('/').length >= depth };
}

export interface Bucket {
  readonly sources: Pick<Sources, 'list' | 'read'>;
  /** S3 connection; undefined for the default one. */
  readonly connection: string | undefined;
  /** Returns why no File can have the name of a found file, as the rest of a sentence. */
  readonly nameProblem?: (filename: string) => string | undefined;
  /** Maximum number of objects. Use a sync for more. */
  readonly maxObjects: number;
}

const ALL: PathFilter = { takes: () => true, skipsFolder: () => false };

/**
 * Returns the objects of an s3:// URL, in the order of their keys. As for local files, an existing key is this object, a
 * prefix selects all objects under it, and any other URL with wildcards selects the objects that match.
 *
 * @throws ConfigError if no object is found, or too many
 * @throws as `Sources.list` if the bucket cannot be listed
 */
export async function expandBucket(url: string, bucket: Bucket): Promise<ExpandedFiles> {
  const { bucket: name = '', key = '' } = partsOfS3Url(url) ?? {};
  if (name === '') throw new ConfigError(`${url} names no bucket. Use s3://BUCKET/KEY, or s3://BUCKET/PREFIX/.`);
  const isPrefix = key === '' || key.endsWith('/');
  if (!isPrefix && (await isObject(name, key, bucket))) return only(url);
  if (isPrefix || !isGlob(key)) {
    const prefix = isPrefix ? key : `${key}/`;
    const found = await objectsBelow(url, name, prefix, ALL, bucket).catch((error: unknown) => {
      // The error of the object is reported.
      if (isPrefix || !(error instanceof SourceMissingError)) throw error;
      return { files: [], skipped: [] };
    });
    if (found.files.length + found.skipped.length > 0) return found;
    if (!isPrefix) return only(url);
    if (!isGlob(key)) throw new ConfigError(`no object found under ${url}. Check the prefix and the S3 connection.`);
  }
  assertGlob(key);
  const { folder, rest } = splitGlob(isPrefix ? `${key}**` : key);
  const prefix = folder === '' || folder === '/' ? folder : `${folder}/`;
  const filter = { takes: compileGlobs([rest], { dot: false }), skipsFolder: () => false };
  const found = await objectsBelow(url, name, prefix, filter, bucket);
  if (found.files.length + found.skipped.length > 0) return found;
  throw new ConfigError(`no object matches ${url}. Check the key; wildcards do not match "/" and a leading dot.`);
}

/** Only an object that is missing can be a prefix or a glob. Other errors are those of its upload. */
async function isObject(name: string, key: string, { sources, connection }: Bucket): Promise<boolean> {
  const source = { type: 's3', bucket: name, key, connection } as const;
  try {
    await sources.read(source, {}, (reader) => reader.stat());
    return true;
  } catch (error) {
    return !(error instanceof SourceMissingError);
  }
}

async function objectsBelow(
  url: string,
  name: string,
  prefix: string,
  filter: PathFilter,
  { sources, connection, nameProblem, maxObjects }: Bucket,
): Promise<ExpandedFiles> {
  let count = 0;
  const takes = (path: string) => {
    if (!filter.takes(path)) return false;
    if (++count <= maxObjects) return true;
    const advice = `Use "longhaul sync s3://${name}/${prefix}"`;
    throw new ConfigError(`${url} names more than ${maxObjects} objects, the maximum of one command. ${advice}.`);
  };
  const container = { type: 's3', bucket: name, prefix, connection } as const;
  const listing = await sources.list(container, { filter: { ...filter, takes } });
  const urlOf = (path: string) => `s3://${name}/${prefix}${path}`;
  const files: string[] = [];
  const unnamed: LeftOut[] = [];
  for (const { path } of listing.entries) {
    const problem = unnamable(path, nameProblem);
    if (problem) unnamed.push({ path, ...problem });
    else files.push(urlOf(path));
  }
  return { files, skipped: problemsOf(listing, unnamed).map((problem) => ({ ...problem, path: urlOf(problem.path) })) };
}

function problemsOf({ problems, leftOut, isComplete }: Listing, unnamed: readonly LeftOut[]): LeftOut[] {
  const found = [...problems, ...leftOut, ...unnamed];
  if (isComplete || problems.length > 0) return found;
  return [{ path: '', failureType: FailureType.SourceUnavailable, message: 'not listed completely' }, ...found];
}

/** Why a found file cannot be uploaded under its name. */
function unnamable(path: string, nameProblem: Bucket['nameProblem']): Omit<LeftOut, 'path'> | undefined {
  if (/[\r\n]/.test(path)) return LINE_BREAK;
  const problem = nameProblem?.(basename(path));
  return problem === undefined ? undefined : { failureType: FailureType.SourceUnusable, message: `it ${problem}` };
}
