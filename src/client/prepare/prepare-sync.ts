import { realpath, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Defaults, TextLimits } from '../../contracts/limits.ts';
import type { Container, ManifestPlace } from '../../contracts/sources.ts';
import type { SyncRequest } from '../../contracts/sync.ts';
import { readableIn } from '../../core/source/names.ts';
import { nameKey } from '../../core/text/name-form.ts';
import { canonicalBaseUrl } from '../../network/url.ts';
import { ConfigError, SourceUnusableError } from '../../errors.ts';
import { jsonDigest } from '../../json-digest.ts';
import { mapFileError } from '../../sources/file/errors.ts';
import { pathOnDisk, realPlace } from '../../sources/file/paths.ts';
import { partsOfS3Url } from '../../sources/source-of-url.ts';
import { assertTextOptions, assertWorkflowId } from './option-problems.ts';

/**
 * Options of `LonghaulClient.sync()`: the folder or bucket, `purpose`, and the settings of `SyncRequest`.
 *
 * @example
 * await longhaul.sync({ folder: './data', purpose: 'fine-tune', exclude: ['*.tmp'] });
 */
export interface SyncOptions extends Omit<SyncRequest, 'source' | 'manifest'> {
  /** A directory of this machine, whose worker reads the files. Set either this or `source`. */
  readonly folder?: string;
  /** A folder or bucket that a worker reads. Set either this or `folder`. */
  readonly source?: Container;
  /**
   * File with the memory of the sync: a path on this machine, whose worker writes it, or `s3://BUCKET/KEY`. Runs on other
   * machines can use it, also after the loss of Temporal. @defaultValue the memory is in Temporal
   */
  readonly manifest?: string | ManifestPlace;
  /** Workflow ID. Runs with the same ID do not overlap, and share one memory. @defaultValue derived from source, purpose, destination and prefix */
  readonly id?: string;
  /** Base URL of `destination`, if it can differ between callers. Part of the derived ID. */
  readonly baseUrl?: string;
}

export interface PreparedSync {
  readonly kind: 'sync';
  readonly request: SyncRequest;
  readonly workflowId: string;
  /** ID of the sync whose memory this run uses: a dry run has a separate ID. */
  readonly memoryId: string;
  /** Equal for equal requests. */
  readonly digest: string;
}

/**
 * Checks a sync and derives its ID, before anything is created.
 *
 * @param host this machine's name in `source.host`
 * @param hidesNames whether the workflow ID must not contain the name of the folder, because payloads are encrypted
 * @throws ConfigError if the request is invalid, with every problem
 * @throws SourceMissingError, SourceUnusableError if the folder cannot be listed
 */
export async function prepareSync(options: SyncOptions, host: string, hidesNames = false): Promise<PreparedSync> {
  assertTextOptions(options, 'sync', ['folder', 'id', 'baseUrl']);
  const { folder, source: value, manifest: place, id, baseUrl: url, ...rest } = options;
  const baseUrl = url && canonicalBaseUrl(url);
  const given = value ?? undefined;
  if ((folder === undefined) === (given === undefined)) throw new ConfigError('set either "folder" or "source"');
  const source: Container = given ?? { type: 'folder', path: await realFolder(folder as string), host };
  const connection = source.type === 's3' ? source.connection : undefined;
  const manifest = typeof place === 'string' ? await manifestPlaceOf(place, connection, host) : place;
  const request: SyncRequest = manifest === undefined ? { source, ...rest } : { source, ...rest, manifest };
  // Loaded here, so that commands that start no job do not load the schemas.
  const { syncRequestProblems } = await import('../../contracts/requests/problems.ts');
  const problems = syncRequestProblems(request);
  if (problems.length > 0) throw new ConfigError(`invalid sync: ${problems.join('; ')}`);
  const memoryId = id ?? syncIdOf(request, baseUrl, hidesNames);
  const workflowId = request.dryRun ? `${memoryId}-dry-run` : memoryId;
  assertWorkflowId('id', workflowId, TextLimits.parentWorkflowId);
  return {
    kind: 'sync',
    request,
    workflowId,
    memoryId,
    digest: jsonDigest([request, baseUrl], 16),
  };
}

async function realFolder(given: string): Promise<string> {
  const folder = await pathOnDisk(given);
  const stats = await mapFileError(folder, stat(folder));
  if (!stats.isDirectory())
    throw new SourceUnusableError(`${folder} is not a directory. Use "longhaul upload" for a file.`);
  return mapFileError(folder, realpath(resolve(folder)));
}

/** Returns a readable ID that is the same for each run of a sync, also with other globs and limits. */
function syncIdOf(
  { source, purpose, destination, prefix }: SyncRequest,
  baseUrl: string | undefined,
  hidesName: boolean,
): string {
  const isFolder = source.type === 'folder';
  const name = isFolder ? basename(source.path) : source.bucket;
  const place = isFolder ? [source.host, source.path] : [source.bucket, source.prefix, source.connection];
  const fields = [source.type, ...place, purpose, destination ?? Defaults.destination, nameKey(prefix ?? ''), baseUrl];
  return ['longhaul-sync', ...(hidesName ? [] : [readableIn(name)]), jsonDigest(fields, 16)].join('-');
}

/**
 * Returns the place of a manifest: a path on this machine, or `s3://BUCKET/KEY`.
 *
 * @param connection S3 connection of the workers
 * @param host name of this machine
 * @throws ConfigError if it is another URL, or does not name an object
 */
export async function manifestPlaceOf(
  given: string,
  connection: string | undefined,
  host: string,
): Promise<ManifestPlace> {
  const object = partsOfS3Url(given);
  if (object) {
    const { bucket, key } = object;
    if (bucket !== '' && key !== '' && !key.endsWith('/')) {
      return { type: 's3', bucket, key, connection: connection || undefined };
    }
    throw new ConfigError(`the manifest must be an object, for example s3://BUCKET/sync.jsonl, not "${given}"`);
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(given)) {
    throw new ConfigError(
      `cannot use the manifest "${given}". Use a file, or an object such as s3://BUCKET/sync.jsonl`,
    );
  }
  if (given === '' || given === '-') throw new ConfigError('the manifest must be a file, for example sync.jsonl');
  return { type: 'file', path: await realPlace(resolve(await pathOnDisk(given))), host };
}
