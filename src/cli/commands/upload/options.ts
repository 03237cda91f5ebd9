import { realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import type { SplitUploadOptions } from '../../../client/prepare/prepare-upload.ts';
import type { Config } from '../../../config/config.ts';
import { requireDestination } from '../../../config/destinations.ts';
import { Defaults, Limits } from '../../../contracts/limits.ts';
import type { Source } from '../../../contracts/sources.ts';
import type { UploadRequest } from '../../../contracts/upload.ts';
import { uploadRequestProblems } from '../../../contracts/requests/problems.ts';
import { filenameOfSource, nameOfSource } from '../../../core/source/names.ts';
import { nameProblem } from '../../../core/upload/file-limits.ts';
import { limitsOf } from '../../../destinations/limits.ts';
import { ConfigError, SourceUnusableError } from '../../../errors.ts';
import { mapFileError } from '../../../sources/file/errors.ts';
import { assertNoOtherUrl, isHttpUrl, isSourceUrl, sourceOfUrl } from '../../../sources/source-of-url.ts';
import { findPipes, type PipeArgument } from '../../sources/spool/pipe-arguments.ts';
import { durationOption, splitOption, splitSizeOption, wholeNumberOption } from '../../options/values.ts';
import {
  addRequestOptions,
  assertPartSize,
  connectionProblem,
  purposeProblem,
  uploadSettingsOf,
  type RequestOptions,
} from '../../options/request-options.ts';

export interface UploadCommandOptions extends RequestOptions {
  readonly filename?: string;
  readonly concurrency?: number;
  /** Milliseconds. */
  readonly heartbeatTimeout?: number;
  readonly transferQueue?: string;
  readonly id?: string;
  readonly again?: boolean;
  /** `auto`: in sizes for the rate of the last uploads. */
  readonly split?: boolean | 'auto';
  readonly splitSize?: number;
  readonly spool?: boolean;
  readonly detach?: boolean;
  /** Path of a file. */
  readonly receipt?: string;
  readonly sha256?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Adds the options of a request: the same for `longhaul upload` and for `-- upload …` of a schedule. */
export function addUploadRequestOptions(command: Command): Command {
  const defaults = { priority: 'normal', fairness: 'one key per upload', limited: 'each upload' };
  return addRequestOptions(command, defaults)
    .option('--filename <name>', 'name of the File (default: name of the source)')
    .option('--sha256', 'add the SHA-256 of the source to the result and the receipt')
    .option(
      '--concurrency <n>',
      'maximum parts in flight (default: automatic, up to 16)',
      wholeNumberOption(1, Limits.maxConcurrency),
    )
    .option(
      '--heartbeat-timeout <duration>',
      'time without a heartbeat until a retry, 1s to 10m (default: 10s)',
      durationOption('1s', '10m', '30s'),
    )
    .option('--transfer-queue <name>', 'task queue of the workers that send the parts (default: that of this host)');
}

export function addUploadOptions(command: Command): Command {
  return addUploadRequestOptions(command)
    .option('--id <id>', 'workflow ID (default: from the source, purpose and destination)')
    .addOption(
      new Option('--split [auto]', 'several Files of whole JSONL lines (auto: in sizes for a slow link)')
        .choices(['auto'])
        .argParser(splitOption),
    )
    .option(
      '--split-size <bytes>',
      'maximum size of each File of a split upload (default: that of the purpose)',
      splitSizeOption,
    )
    .option('--spool', 'download URLs first, for servers without range requests')
    .option('--again', 'upload the file again if it is already uploaded')
    .option('--receipt <file>', 'file for the receipt, with which "verify" checks the upload')
    .option('--detach', 'start the upload on other workers, and exit')
    .option('--json', 'print one JSON object per file, also after a failure')
    .option('--quiet', 'print only waiting reasons and errors, no progress');
}

/** Reports invalid options before a source is read and Temporal is called. @throws ConfigError with the first problem */
export function checkUploadOptions(
  config: Config,
  files: readonly string[],
  pipes: ReadonlyMap<string, Pick<PipeArgument, 'filename'>>,
  options: UploadCommandOptions,
): void {
  const { id, filename, spool, ignoreInode, destination = Defaults.destination } = options;
  const other = files.find((file) => isSourceUrl(file) || pipes.has(file));
  const nameless = files.find((file) => pipes.has(file) && pipes.get(file)?.filename === undefined);
  const what = nameless === '-' ? '"-" (standard input)' : nameless;
  const isCopied = spool || pipes.size > 0;
  const problems = [
    files.length > 1 &&
      (id ?? filename) !== undefined &&
      '--id and --filename require a single file. Upload each file with a separate command.',
    spool &&
      !files.some(isHttpUrl) &&
      '--spool requires an http: or https: URL. Remove it: other sources do not need it.',
    connectionProblem(options.connection, files),
    options.split === 'auto' &&
      options.splitSize !== undefined &&
      '--split auto determines the size of the Files. Remove --split-size, or remove auto.',
    ignoreInode && !options.md5 && '--ignore-inode requires the MD5, which detects other content. Remove --no-md5.',
    ignoreInode &&
      isSplit(options) &&
      '--ignore-inode cannot be used with --split, whose pieces have no common MD5. Remove one of them.',
    ignoreInode &&
      other !== undefined &&
      `--ignore-inode requires files, and ${other} is not a file. Upload it with a separate command, without the option.`,
    nameless !== undefined &&
      files.length > 1 &&
      `${what} has no name, so it must be the only source. Upload the other files with another command.`,
    nameless !== undefined &&
      filename === undefined &&
      `${what} has no name. Set the name of the File with --filename.`,
    isCopied &&
      /[/\0\r\n]|^\.{0,2}$/.test(filename ?? 'x') &&
      '--filename must be a name without a path, for example train.jsonl.',
    options.transferQueue !== undefined &&
      config.temporal === undefined &&
      !options.detach &&
      '--transfer-queue selects other workers, but this command runs its own worker. Set TEMPORAL_ADDRESS, or add --detach.',
    purposeProblem(config, options.purpose, destination),
  ];
  const problem = problems.find((one) => typeof one === 'string');
  if (problem !== undefined) throw new ConfigError(problem);
  assertPartSize(config, options);
  // On an existing Temporal, the workers have the destinations and their keys.
  if (!config.temporal) requireDestination(config, destination);
}

export function isSplit({ split, splitSize }: UploadCommandOptions): boolean {
  return split !== undefined || splitSize !== undefined;
}

export function toUploadOptions(
  file: string,
  options: UploadCommandOptions,
  baseUrl: string | undefined,
): SplitUploadOptions {
  const { purpose, filename, concurrency, destination, id, again, splitSize, connection, limit } = options;
  const { heartbeatTimeout, transferQueue, md5, sha256 } = options;
  return {
    ...(isSourceUrl(file) ? { url: file } : { file }),
    s3Connection: connection,
    purpose,
    ...uploadSettingsOf(options),
    md5,
    sha256,
    filename,
    concurrency,
    limitBytesPerSecond: limit,
    heartbeatTimeoutMs: heartbeatTimeout,
    transferTaskQueue: transferQueue,
    destination,
    id,
    again,
    pieceSizeBytes: splitSize,
    baseUrl,
  };
}

/**
 * Returns the input of `uploadFile` for a schedule. Each run reads the content that the source has then. A file is on this
 * machine, and becomes an absolute path without links.
 *
 * @throws ConfigError with every problem
 * @throws SourceMissingError, SourceUnusableError, SourceReadError if a file cannot be read
 */
export async function toUploadRequest(
  argument: string,
  options: UploadCommandOptions,
  { host, destinations }: Pick<Config, 'host' | 'destinations'>,
): Promise<UploadRequest> {
  const { file: _file, url: _url, s3Connection: connection, ...rest } = toUploadOptions(argument, options, undefined);
  const request = { source: await scheduledSource(argument, connection, host), ...rest };
  const problems = [
    ...uploadRequestProblems(request),
    purposeProblem({ destinations }, options.purpose, options.destination),
    connectionProblem(options.connection, [argument]),
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0) throw new ConfigError(problems.join('; '));
  assertPartSize({ destinations }, options);
  const limits = limitsOf(destinations.get(options.destination ?? Defaults.destination) ?? {}, options.purpose);
  const filename = request.filename ?? filenameOfSource(request.source);
  const ofName = nameProblem(limits, { filename, purpose: options.purpose });
  if (ofName !== undefined) throw new ConfigError(`${nameOfSource(request.source)} ${ofName}`);
  return request;
}

async function scheduledSource(argument: string, connection: string | undefined, host: string): Promise<Source> {
  if (isSourceUrl(argument)) {
    const { source, query } = sourceOfUrl(argument, { connection, sealKey: () => '' });
    if (query === undefined) return source;
    throw new ConfigError(
      'a schedule cannot have a URL with a query, which can be a signature. Use a URL without a query.',
    );
  }
  assertNoOtherUrl(argument);
  if ((await findPipes([argument], {})).size > 0) {
    throw new SourceUnusableError(
      `${argument} can be read only once, and each run of a schedule reads its source. Save its content to a file.`,
    );
  }
  const path = await mapFileError(resolve(argument), realpath(argument));
  if ((await mapFileError(path, stat(path))).isFile()) return { type: 'file', path, host };
  throw new SourceUnusableError(`${path} is not a file. Use "sync" for a folder.`);
}
