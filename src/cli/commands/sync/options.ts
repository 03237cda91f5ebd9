import { realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../../../config/config.ts';
import { Defaults, Limits } from '../../../contracts/limits.ts';
import type { Container } from '../../../contracts/sources.ts';
import type { SyncRequest, SyncUploadSettings } from '../../../contracts/sync.ts';
import { manifestPlaceOf } from '../../../client/prepare/prepare-sync.ts';
import { syncRequestProblems } from '../../../contracts/requests/problems.ts';
import { isGlob, splitGlob } from '../../../core/glob/glob.ts';
import { ConfigError, SourceMissingError, SourceUnusableError } from '../../../errors.ts';
import { pathOnDisk } from '../../../sources/file/paths.ts';
import { mapFileError, specialKind } from '../../../sources/file/errors.ts';
import { partsOfS3Url } from '../../../sources/source-of-url.ts';
import { durationOption, repeatedOption, wholeNumberOption } from '../../options/values.ts';
import {
  addRequestOptions,
  assertPartSize,
  purposeProblem,
  uploadSettingsOf,
  type RequestOptions,
} from '../../options/request-options.ts';

export interface SyncOptions extends RequestOptions {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly prefix?: string;
  /** Milliseconds. */
  readonly minAge?: number;
  readonly checksum?: boolean;
  readonly manifest?: string;
  readonly delete?: boolean;
  readonly maxFiles?: number;
  /** Uploads at the same time. */
  readonly concurrency?: number;
  /** Parts in flight of each upload. */
  readonly partConcurrency?: number;
  readonly dryRun?: boolean;
}

/** Adds the options of `longhaul sync` that a schedule's `-- sync …` also accepts. */
export function addSyncOptions(command: Command): Command {
  const defaults = { priority: 'bulk', fairness: 'one key per sync', limited: 'all uploads together' };
  return addRequestOptions(command, defaults)
    .option('--include <glob>', 'glob of files to upload, such as "*.jsonl" (repeatable)', repeatedOption)
    .option('--exclude <glob>', 'glob of files to skip, even if included (repeatable)', repeatedOption)
    .option('--prefix <name>', 'prefix for File names (other Files are ignored)')
    .option(
      '--min-age <duration>',
      'minimum time since the last change of a file, such as 5m (default: 0s)',
      durationOption('0s', '3652d', '5m'),
    )
    .option('--checksum', 'compare files of equal size by MD5 instead of time, which reads them')
    .option('--manifest <file>', 'file or s3:// object with the memory of the sync (default: in Temporal)')
    .option('--delete', 'delete Files that this sync uploaded if their sources are deleted')
    .option(
      '--max-files <n>',
      'maximum files to send, above which the sync sends none',
      wholeNumberOption(0, Number.MAX_SAFE_INTEGER),
    )
    .option(
      '--concurrency <n>',
      `maximum uploads at the same time (default: ${Defaults.maxConcurrentUploads})`,
      wholeNumberOption(1, Limits.maxConcurrentUploads),
    )
    .option(
      '--part-concurrency <n>',
      `maximum parts in flight of each upload (default: ${Defaults.concurrency})`,
      wholeNumberOption(1, Limits.maxConcurrency),
    )
    .option('--dry-run', 'print each action and its reason, and change nothing');
}

/**
 * Returns the input of `syncSource`. A folder is on this machine, and becomes an absolute path without links.
 *
 * @param source a folder, or `s3://BUCKET/PREFIX`
 * @throws ConfigError with every problem of the options
 * @throws SourceMissingError, SourceUnusableError, SourceReadError if the folder is not a folder or cannot be read
 */
export async function toSyncRequest(
  source: string,
  options: SyncOptions,
  config: Pick<Config, 'host' | 'destinations'>,
): Promise<SyncRequest> {
  const { purpose, destination, include, exclude, prefix, minAge, maxFiles, concurrency, partConcurrency } = options;
  const { limit } = options;
  assertPartSize(config, options);
  const upload: SyncUploadSettings = {
    ...uploadSettingsOf(options),
    concurrency: partConcurrency,
  };
  const request: SyncRequest = {
    source: await toContainer(source, options, config.host),
    purpose,
    destination,
    prefix,
    include,
    exclude,
    minAgeMs: minAge,
    checksum: options.checksum ? true : undefined,
    manifest:
      options.manifest === undefined
        ? undefined
        : await manifestPlaceOf(options.manifest, options.connection, config.host),
    delete: options.delete ? true : undefined,
    maxFiles,
    maxConcurrentUploads: concurrency,
    limitBytesPerSecond: limit,
    dryRun: options.dryRun ? true : undefined,
    upload: Object.values(upload).some((value) => value !== undefined) ? upload : undefined,
  };
  const problems = [...syncRequestProblems(request), purposeProblem(config, purpose, destination)].filter(
    (problem) => problem !== undefined,
  );
  if (problems.length > 0) throw new ConfigError(`invalid sync: ${problems.join('; ')}`);
  return request;
}

async function toContainer(
  source: string,
  { connection, manifest }: Pick<SyncOptions, 'connection' | 'manifest'>,
  host: string,
): Promise<Container> {
  const { bucket: name, key: prefix = '' } = partsOfS3Url(source) ?? {};
  if (name) {
    // Keys can contain all characters of globs, but an asterisk at the end of a prefix is meant as a wildcard.
    if (/\*[^/]*$/.test(prefix)) {
      throw new ConfigError(`${globAdvice(`s3://${name}/`, prefix)}. If the prefix contains "*", end it with "/"`);
    }
    return { type: 's3', bucket: name, prefix: prefix || undefined, connection: connection || undefined };
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(source)) {
    throw new ConfigError(`cannot sync "${source}". Use a folder, or a bucket such as s3://BUCKET/PREFIX`);
  }
  if (connection !== undefined && !/^s3:/i.test(manifest ?? '')) {
    throw new ConfigError('--connection requires a source or a manifest such as s3://BUCKET/PREFIX. Remove it.');
  }
  return { type: 'folder', path: await folderAt(source), host };
}

async function folderAt(given: string): Promise<string> {
  const source = await pathOnDisk(given);
  const special = await stat(source).then(specialKind, () => (given === '-' ? 'standard input' : undefined));
  if (special !== undefined) {
    throw new SourceUnusableError(`${given} is ${special}, not a folder. Use "longhaul upload" for single files`);
  }
  const path = await mapFileError(resolve(source), realpath(source)).catch((error: unknown) => {
    throw error instanceof SourceMissingError && isGlob(given) ? new ConfigError(globAdvice('', given)) : error;
  });
  if ((await mapFileError(path, stat(path))).isDirectory()) return path;
  throw new SourceUnusableError(`${path} is not a folder. Use "longhaul upload" for single files`);
}

/** Describes the problem of a glob in the place of a source, with the equivalent options. */
function globAdvice(start: string, glob: string): string {
  const { folder, rest } = splitGlob(glob);
  const source = `${start}${folder === '' || folder === '/' ? folder : `${folder}/`}` || '.';
  return `the source "${start}${glob}" has a wildcard, but must be a folder or a prefix. Use: ${source} --include '/${rest}'`;
}
