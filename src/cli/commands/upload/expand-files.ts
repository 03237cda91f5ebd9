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

/** The command follows each upload separately. Use a sync for more files. */
const MAX_FILES = 500;

export interface ExpandedFiles {
  readonly files: readonly string[];
  /** Files that were found and cannot be uploaded. */
  readonly skipped: readonly SyncProblem[];
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
    throw new ConfigError(
      `cannot upload ${files.length} files with one command: the maximum is ${MAX_FILES}. Use "longhaul sync".`,
    );
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
      const message = 'its name contains a line break. Upload it separately with --filename.';
      skipped.push({ path: file, failureType: FailureType.SourceUnusable, message });
      continue;
    }
    if (await isReadable(file)) files.push(file);
    else {
      const message = 'permission denied. Grant this user read access to it.';
      skipped.push({ path: file, failureType: FailureType.SourceMissing, message });
    }
  }
  if (entries.length + problems.length + leftOut.length > 0) return;
  throw new ConfigError(
    folder === name ? `the directory ${name} contains no file.` : `no file matches ${name}. Check the path.`,
  );
}

async function gatherGlob(glob: string, files: string[], skipped: SyncProblem[]): Promise<void> {
  const problem = globListProblem([glob]);
  if (problem !== undefined) throw new ConfigError(`the list of files ${problem}`);
  const { folder, rest } = splitGlob(glob);
  await gather((await pathOnDisk(folder)) || '.', globFilter(rest), glob, files, skipped);
}

/** Returns a filter that does not list directories deeper than the glob. */
function globFilter(glob: string): PathFilter {
  const takes = compileGlobs([glob], { dot: false });
  const depth = glob.includes('**') ? Infinity : glob.split('/').length;
  return { takes, skipsFolder: (path) => path.split('/').length >= depth };
}
