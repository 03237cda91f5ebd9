import { join } from 'node:path';
import {
  prepareSplit,
  type SplitUploadOptions,
  prepareUpload,
  type PreparedUpload,
} from '../../client/prepare/prepare-upload.ts';
import { Defaults } from '../../contracts/limits.ts';
import type { Source } from '../../contracts/sources.ts';
import { ConfigError } from '../../errors.ts';
import { sealKeyOf } from '../../sources/source-settings.ts';
import { Sources } from '../../sources/sources.ts';
import type { CliContext } from '../context.ts';
import { sourceSettingsOf } from '../sources/source-settings.ts';
import type { SpoolFolder } from '../sources/spool/folder.ts';
import { isSplit, toUploadOptions, type UploadCommandOptions } from '../commands/upload/options.ts';

/** What becomes one upload of a command. */
export interface UploadTarget {
  /** A path or a URL; of a copy that is not made yet, the argument. */
  readonly path: string;
  /** Of a copy that is not made yet: the File's name, and what messages call the source. */
  readonly coming?: { readonly filename: string; readonly what: string } | undefined;
}

interface CheckedRequests {
  readonly requests: readonly SplitUploadOptions[];
  readonly workflowIds: readonly string[];
  readonly sources: readonly Source[];
}

/**
 * Checks the requests of a command. Of a copy that is not made yet, everything but its content is checked, so that nothing
 * that can be read only once is read for a request that is invalid.
 *
 * @throws as `prepareUpload`
 */
export async function checkRequests(
  { config }: CliContext,
  spools: SpoolFolder,
  targets: readonly UploadTarget[],
  options: UploadCommandOptions,
): Promise<CheckedRequests> {
  const { host } = config;
  const baseUrl = config.destinations.get(options.destination ?? Defaults.destination)?.baseUrl;
  const settings = sourceSettingsOf(config);
  const sources = new Sources(settings);
  const prepare = isSplit(options) ? prepareSplit : prepareUpload;
  const prepareContext = { host, sources, sealKey: sealKeyOf(settings) };
  const requests: SplitUploadOptions[] = [];
  const prepared: PreparedUpload[] = [];
  try {
    for (const { path, coming } of targets) {
      const filename = options.filename ?? coming?.filename ?? (await spools.filenameOf(path));
      const file = coming ? join(spools.path, 'coming', 'copy') : path;
      const request = toUploadOptions(file, filename === undefined ? options : { ...options, filename }, baseUrl);
      const { file: _file, ...rest } = request;
      const checked = coming ? { ...rest, source: { type: 'file', path: file, host } as const } : request;
      requests.push(request);
      prepared.push(await naming(coming?.what, file, prepare(checked, prepareContext)));
    }
  } finally {
    await sources.close();
  }
  return {
    requests,
    workflowIds: prepared.map(({ workflowId }) => workflowId),
    sources: prepared.map(({ request }) => request.source),
  };
}

/** A message is about what the user named, not about the path that its copy will have. */
async function naming<T>(what: string | undefined, path: string, check: Promise<T>): Promise<T> {
  try {
    return await check;
  } catch (error) {
    if (what === undefined || !(error instanceof ConfigError)) throw error;
    throw new ConfigError(
      error.message.replace(path, () => what),
      { cause: error },
    );
  }
}
