import { FailureType } from '../../../contracts/failures.ts';
import type { SyncProblem } from '../../../contracts/sync.ts';
import { compileGlobs, globListProblem, isGlob, splitGlob } from '../../../core/glob/glob.ts';
import { ConfigError, SourceMissingError } from '../../../errors.ts';
import type { Listing } from '../../../sources/listing/listing.ts';
import type { PathFilter } from '../../../sources/listing/path-filter.ts';
import type { Sources } from '../../../sources/sources.ts';

export interface Bucket {
  readonly sources: Pick<Sources, 'list' | 'open'>;
  /** S3 connection; undefined for the default one. */
  readonly connection: string | undefined;
  /** Maximum number of objects. Use a sync for more. */
  readonly maxObjects: number;
}

export interface ExpandedBucket {
  readonly urls: readonly string[];
  readonly skipped: readonly SyncProblem[];
}

const ALL: PathFilter = { takes: () => true, skipsFolder: () => false };

/**
 * Returns the objects of an s3:// URL, in the order of their keys. As for local files, an existing key is this object, a
 * prefix selects all objects under it, and any other URL with wildcards selects the objects that match.
 *
 * @throws ConfigError if no object is found, or too many
 * @throws as `Sources.list` if the bucket cannot be listed
 */
export async function expandBucket(url: string, bucket: Bucket): Promise<ExpandedBucket> {
  const [, name = '', key = ''] = /^s3:\/\/([^/]*)\/?(.*)$/is.exec(url) ?? [];
  if (name === '') throw new ConfigError(`${url} names no bucket. Use s3://BUCKET/KEY, or s3://BUCKET/PREFIX/.`);
  const isPrefix = key === '' || key.endsWith('/');
  if (!isPrefix && (await isObject(name, key, bucket))) return { urls: [url], skipped: [] };
  if (isPrefix || !isGlob(key)) {
    const prefix = isPrefix ? key : `${key}/`;
    const found = await objectsBelow(url, name, prefix, ALL, bucket).catch((error: unknown) => {
      // The error of the object is reported.
      if (isPrefix || !(error instanceof SourceMissingError)) throw error;
      return { urls: [], skipped: [] };
    });
    if (found.urls.length + found.skipped.length > 0) return found;
    if (!isPrefix) return { urls: [url], skipped: [] };
    if (!isGlob(key)) throw new ConfigError(`no object found under ${url}. Check the prefix and the S3 connection.`);
  }
  const problem = globListProblem([key]);
  if (problem !== undefined) throw new ConfigError(`the list of files ${problem}`);
  const { folder, rest } = splitGlob(isPrefix ? `${key}**` : key);
  const prefix = folder === '' || folder === '/' ? folder : `${folder}/`;
  const filter = { takes: compileGlobs([rest], { dot: false }), skipsFolder: () => false };
  const found = await objectsBelow(url, name, prefix, filter, bucket);
  if (found.urls.length + found.skipped.length > 0) return found;
  throw new ConfigError(`no object matches ${url}. Check the key; wildcards do not match "/" and a leading dot.`);
}

/** Only an object that is missing can be a prefix or a glob. Other errors are those of its upload. */
async function isObject(name: string, key: string, { sources, connection }: Bucket): Promise<boolean> {
  const source = { type: 's3', bucket: name, key, connection } as const;
  try {
    const reader = await sources.open(source, {});
    await reader.stat().finally(() => reader.close());
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
  { sources, connection, maxObjects }: Bucket,
): Promise<ExpandedBucket> {
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
  return {
    urls: listing.entries.filter(({ path }) => !hasLineBreak(path)).map(({ path }) => urlOf(path)),
    skipped: problemsOf(listing).map((problem) => ({ ...problem, path: urlOf(problem.path) })),
  };
}

function problemsOf({ entries, problems, leftOut, isComplete }: Listing): SyncProblem[] {
  const message = 'its name contains a line break. Upload it separately with --filename.';
  const unnamed = entries
    .filter(({ path }) => hasLineBreak(path))
    .map(({ path }) => ({ path, failureType: FailureType.SourceUnusable, message }));
  const found = [...problems, ...leftOut, ...unnamed];
  if (isComplete || problems.length > 0) return found;
  return [{ path: '', failureType: FailureType.SourceUnavailable, message: 'not listed completely' }, ...found];
}

function hasLineBreak(path: string): boolean {
  return /[\r\n]/.test(path);
}
