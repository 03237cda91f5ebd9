import type { UploadProgress, UploadRequest } from '../contracts/upload.ts';
import { Defaults, Priorities } from '../contracts/limits.ts';
import { formatBytes } from '../core/format.ts';
import type { UploadCommandOptions } from './upload-options.ts';

/** What a command finds out about an upload that an earlier command started. */
export interface RunningUpload {
  readonly request: UploadRequest;
  /** Undefined if no worker responds. */
  readonly progress: UploadProgress | undefined;
  /** Query of the source's URL; undefined if it has none or cannot be opened. */
  readonly query?: string | undefined;
}

export interface ThisCommand {
  readonly options: UploadCommandOptions;
  readonly query?: string | undefined;
  /** Whether its own worker sends parts, which then are not more than `--concurrency`. */
  readonly isWorker: boolean;
}

/** One line for each option of the command that is not in effect in the upload that is running. */
export function runningDifferences(
  running: RunningUpload,
  { options, query, isWorker }: ThisCommand,
): readonly string[] {
  const { request, progress } = running;
  const retune = 'Use "longhaul retune" to change it';
  const restart = 'To change it, cancel the upload and run the command again';
  const lines: string[] = [];
  const differs = (option: string, inEffect: string, fix: string) =>
    lines.push(`${option} is not in effect: this upload ${inEffect}. ${fix}.`);

  const concurrency = progress?.concurrency ?? request.concurrency;
  const isFewer = isWorker && (options.concurrency ?? 0) < (concurrency ?? Defaults.concurrency);
  if (options.concurrency !== undefined && options.concurrency !== concurrency && !isFewer) {
    const has = concurrency === undefined ? 'uses the default' : `has up to ${concurrency} parts in flight`;
    differs(`--concurrency ${options.concurrency}`, has, retune);
  }
  const partSize = progress?.partSizeBytes || request.partSizeBytes;
  if (options.partSize !== undefined && options.partSize !== partSize) {
    const has = partSize === undefined ? 'chooses the size of its parts' : `has parts of ${formatBytes(partSize)}`;
    differs(`--part-size ${formatBytes(options.partSize)}`, has, `${retune} for the next session`);
  }
  const limit = (progress ? progress.limit?.bytesPerSecond : request.limitBytesPerSecond) ?? 0;
  if (options.limit !== undefined && options.limit !== limit) {
    const has = limit === 0 ? 'has no limit' : `has a limit of ${formatBytes(limit)}/s`;
    differs(`--limit ${formatBytes(options.limit)}/s`, has, retune);
  }
  if (options.limit === undefined && limit > 0) {
    lines.push(`this upload keeps its limit of ${formatBytes(limit)}/s. ${retune}.`);
  }
  const { priority } = options;
  if (priority !== undefined && priority !== request.priority) {
    differs(`--priority ${priorityName(priority)}`, 'has another priority', restart);
  }
  if (options.fairnessKey !== undefined && options.fairnessKey !== request.fairnessKey) {
    differs('--fairness-key', 'has another fairness key, or none', restart);
  }
  if (options.ignoreInode && !request.ignoreInode) {
    differs('--ignore-inode', 'was started without it', retune);
  }
  if (options.md5 !== (request.md5 ?? true)) {
    const has = options.md5 ? 'does not have its MD5 checked' : 'has its MD5 checked';
    differs(options.md5 ? 'the check of the MD5' : '--no-md5', has, restart);
  }
  if (query !== undefined && running.query !== undefined && query !== running.query) {
    differs('the query of this URL', 'continues with the query of the URL that it was started with', restart);
  }
  return lines;
}

function priorityName(priority: number): string {
  return Object.entries(Priorities).find(([, value]) => value === priority)?.[0] ?? String(priority);
}
