import { join } from 'node:path';
import {
  prepareSplit,
  type SplitUploadOptions,
  prepareUpload,
  type PreparedSplit,
  type PreparedUpload,
} from '../../../client/prepare/prepare-upload.ts';
import { configuredLimits } from '../../../config/destinations.ts';
import { Defaults } from '../../../contracts/limits.ts';
import { ConfigError } from '../../../errors.ts';
import { sealKeyOf } from '../../../sources/source-settings.ts';
import { Sources } from '../../../sources/sources.ts';
import type { CliContext } from '../../context.ts';
import type { CommandJob } from '../../job/command-job.ts';
import { sourceSettingsOf } from '../../sources/source-settings.ts';
import type { SpoolFolder } from '../../sources/spool/folder.ts';
import { isSplit, toUploadOptions, type UploadCommandOptions } from './options.ts';

/** Source of one upload of a command. */
export interface UploadTarget {
  /** A path or a URL; for a copy that does not exist yet, the argument. */
  readonly path: string;
  /** For a copy that does not exist yet: the File's name, and the name of the source in messages. */
  readonly coming?: { readonly filename: string; readonly what: string } | undefined;
}

/** A request that was checked, and its inspected source. */
export interface CheckedRequest {
  readonly options: SplitUploadOptions;
  readonly prepared: PreparedUpload | PreparedSplit;
}

export interface UploadJob extends CommandJob<CheckedRequest['prepared']> {
  readonly options: SplitUploadOptions;
  /** The argument, as in `sourceOf`. */
  readonly source: string;
}

/**
 * Checks the requests of a command. For a copy that does not exist yet, checks everything except its content, so that an
 * invalid request does not consume a source that can be read only once.
 *
 * @throws as `prepareUpload`
 */
export async function checkRequests(
  { config }: CliContext,
  spools: SpoolFolder,
  targets: readonly UploadTarget[],
  options: UploadCommandOptions,
): Promise<CheckedRequest[]> {
  const { host } = config;
  const baseUrl = config.destinations.get(options.destination ?? Defaults.destination)?.baseUrl;
  const settings = sourceSettingsOf(config);
  const hidesNames = config.encryptionKeyFile !== undefined;
  const limits = (name: string, purpose: string) => configuredLimits(config, name, purpose);
  return Sources.with(settings, async (sources) => {
    const prepareContext = { host, sources, sealKey: sealKeyOf(settings), hidesNames, limits };
    const prepare = (request: SplitUploadOptions): Promise<PreparedUpload | PreparedSplit> =>
      isSplit(options)
        ? prepareSplit(options.split === 'auto' ? { ...request, pieceSizeBytes: 'auto' } : request, prepareContext)
        : prepareUpload(request, prepareContext);
    const requests: CheckedRequest[] = [];
    for (const { path, coming } of targets) {
      const filename = options.filename ?? coming?.filename ?? (await spools.filenameOf(path));
      const file = coming ? join(spools.path, 'coming', 'copy') : path;
      const request = toUploadOptions(file, filename === undefined ? options : { ...options, filename }, baseUrl);
      const { file: _file, ...rest } = request;
      const checked = coming ? { ...rest, source: { type: 'file', path: file, host } as const } : request;
      requests.push({ options: request, prepared: await naming(coming?.what, file, prepare(checked)) });
    }
    return requests;
  });
}

/** Replaces the path of a copy in a message with the argument of the user. */
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
