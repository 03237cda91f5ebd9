import type { SplitUploadOptions } from '../client/prepare-split.ts';
import { requireDestination, type Config } from '../config.ts';
import { KnownPurposes, Priorities } from '../contracts/limits.ts';
import { ConfigError } from '../errors.ts';
import { isHttpUrl, isSourceUrl } from '../sources/source-of-url.ts';

/** What the options of `longhaul upload` become. */
export interface UploadCommandOptions {
  readonly purpose: string;
  readonly filename?: string;
  readonly partSize?: number;
  readonly concurrency?: number;
  /** Bytes a second. */
  readonly limit?: number;
  readonly destination?: string;
  readonly priority?: keyof typeof Priorities;
  readonly fairnessKey?: string;
  readonly connection?: string;
  readonly id?: string;
  readonly md5: boolean;
  readonly again?: boolean;
  readonly split?: boolean;
  readonly splitSize?: number;
  readonly spool?: boolean;
  readonly detach?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Whatever can be known to be wrong is said before anything is read, and before Temporal is asked for. */
export function checkUploadOptions(
  config: Config,
  files: readonly string[],
  options: UploadCommandOptions,
  destination: string,
): void {
  if (files.length > 1 && (options.id ?? options.filename) !== undefined) {
    throw new ConfigError('--id and --filename go with one file');
  }
  if (options.spool && !files.some(isHttpUrl)) {
    throw new ConfigError('--spool is for http: and https: URLs; other sources are read in parts, or need no option');
  }
  if (files.includes('-')) assertInputNamed(files, options);
  const isCopied = options.spool || files.includes('-');
  if (isCopied && /[/\0\r\n]|^\.{0,2}$/.test(options.filename ?? 'x')) {
    throw new ConfigError('--filename must be a name, not a path');
  }
  const known = config.destinations.get(destination);
  const purposes: string[] = [...KnownPurposes, ...(known?.purposes ?? [])];
  if (!purposes.includes(options.purpose)) {
    throw new ConfigError(`unknown purpose "${options.purpose}"; known: ${purposes.join(', ')}`);
  }
  // On an existing Temporal the workers hold the destinations and their keys.
  if (!config.temporal) requireDestination(config, destination);
}

function assertInputNamed(files: readonly string[], { filename }: UploadCommandOptions): void {
  if (files.length > 1)
    throw new ConfigError('"-" (standard input) goes alone; upload the other files by another command');
  if (filename === undefined)
    throw new ConfigError('standard input has no name of its own: give the File one with --filename');
}

export function isSplit({ split, splitSize }: UploadCommandOptions): boolean {
  return split === true || splitSize !== undefined;
}

export function toUploadOptions(
  file: string,
  options: UploadCommandOptions,
  baseUrl: string | undefined,
): SplitUploadOptions {
  const { purpose, filename, partSize, concurrency, destination, id, md5, again, splitSize } = options;
  const { priority, fairnessKey, connection, limit } = options;
  return {
    ...(isSourceUrl(file) ? { url: file } : { file }),
    ...(connection === undefined ? {} : { s3Connection: connection }),
    purpose,
    md5,
    ...(priority === undefined ? {} : { priority: Priorities[priority] }),
    ...(fairnessKey === undefined ? {} : { fairnessKey }),
    ...(filename === undefined ? {} : { filename }),
    ...(partSize === undefined ? {} : { partSizeBytes: partSize }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(limit === undefined ? {} : { limitBytesPerSecond: limit }),
    ...(destination === undefined ? {} : { destination }),
    ...(id === undefined ? {} : { id }),
    ...(again === undefined ? {} : { again }),
    ...(splitSize === undefined ? {} : { pieceSizeBytes: splitSize }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
  };
}
