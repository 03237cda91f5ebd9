import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FailureType } from '../../../contracts/failures.ts';
import type { SyncProblem } from '../../../contracts/sync.ts';
import { compileGlobs, globListProblem, isGlob, splitGlob } from '../../../core/glob/glob.ts';
import { ConfigError } from '../../../errors.ts';
import { pathBehindDescriptor } from '../../../sources/file/descriptor-path.ts';
import { listFolder } from '../../../sources/file/list-folder.ts';
import { pathOnDisk } from '../../../sources/file/path-on-disk.ts';
import { isHttpUrl, isSourceUrl } from '../../../sources/source-of-url.ts';
import { createPathFilter, type PathFilter } from '../../../sources/listing/path-filter.ts';
import { expandBucket, type Bucket } from './expand-bucket.ts';
import { isReadable } from '../../sources/source-settings.ts';

/** Each upload is followed by itself; more files than these are a sync's business. */
const MAX_FILES = 500;

export interface ExpandedFiles {
  readonly files: readonly string[];
  /** What was found and can't be uploaded. */
  readonly skipped: readonly SyncProblem[];
}

/**
 * Files as a person names them: a directory stands for all that is in it, and a glob that the shell was kept from
 * expanding for what it matches (hidden files only where it says so, as in a shell). A file that has such a name is that file.
 * For objects of S3, see `expandBucket`.
 *
 * @throws ConfigError when nothing is found for a name, or too much
 * @throws SourceMissingError, SourceReadError for a directory that can't be listed
 */
export async function expandFiles(
  names: readonly string[],
  bucket: Pick<Bucket, 'sources' | 'connection'>,
): Promise<ExpandedFiles> {
  const files: string[] = [];
  const skipped: SyncProblem[] = [];
  for (const given of names) {
    if (given === '-' || isHttpUrl(given)) {
      files.push(given);
      continue;
    }
    if (isSourceUrl(given)) {
      const found = await expandBucket(given, { ...bucket, maxObjects: MAX_FILES });
      files.push(...found.urls);
      skipped.push(...found.skipped);
      continue;
    }
    const name = await pathOnDisk(await pathBehindDescriptor(given));
    const stats = await stat(name).catch(() => undefined);
    if (stats?.isDirectory()) await gather(name, createPathFilter([], []), name, files, skipped);
    else if (stats === undefined && isGlob(name)) await gatherGlob(name, files, skipped);
    else files.push(name);
  }
  if (files.length > MAX_FILES) {
    throw new ConfigError(`these are ${files.length} files and one command takes ${MAX_FILES}; use "longhaul sync"`);
  }
  return { files, skipped };
}

async function gather(
  folder: string,
  filter: PathFilter,
  name: string,
  files: string[],
  skipped: SyncProblem[],
): Promise<void> {
  const { entries, problems, leftOut } = await listFolder({ type: 'folder', path: resolve(folder) }, { filter });
  for (const problem of [...problems, ...leftOut]) skipped.push({ ...problem, path: join(folder, problem.path) });
  for (const { path } of entries) {
    const file = join(folder, path);
    if (/[\r\n]/.test(path)) {
      const message = 'has a line break in its name; upload it by itself, with --filename';
      skipped.push({ path: file, failureType: FailureType.SourceUnusable, message });
      continue;
    }
    if (await isReadable(file)) files.push(file);
    else {
      const message = 'is not readable for this user';
      skipped.push({ path: file, failureType: FailureType.SourceMissing, message });
    }
  }
  if (entries.length + problems.length + leftOut.length > 0) return;
  throw new ConfigError(
    folder === name ? `${name} is a directory without a file in it` : `no file matches ${name}; check the path`,
  );
}

async function gatherGlob(glob: string, files: string[], skipped: SyncProblem[]): Promise<void> {
  const problem = globListProblem([glob]);
  if (problem !== undefined) throw new ConfigError(`the list of files ${problem}`);
  const { folder, rest } = splitGlob(glob);
  await gather((await pathOnDisk(folder)) || '.', globFilter(rest), glob, files, skipped);
}

/** Goes no deeper than the glob does. */
function globFilter(glob: string): PathFilter {
  const takes = compileGlobs([glob], { dot: false });
  const depth = glob.includes('**') ? Infinity : glob.split('/').length;
  return { takes, skipsFolder: (path) => path.split('/').length >= depth };
}
