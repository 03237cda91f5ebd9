import { nameOfSource } from '../../core/source/names.ts';
import { isDeepStrictEqual } from 'node:util';
import { Defaults, Priorities } from '../../contracts/limits.ts';
import type { SplitUploadRequest } from '../../contracts/split.ts';
import type { SyncRequest } from '../../contracts/sync.ts';
import type { JobProgress } from '../../client/jobs.ts';
import type { UploadRequest } from '../../contracts/upload.ts';
import { shellWord } from '../../core/text/shell-word.ts';
import { bytesText, durationText, rateText } from '../options/values.ts';

/** An option of a command, and the property of a request that it sets. */
interface OptionRow {
  readonly option: string;
  /** The value as the option accepts it. @defaultValue `String` */
  readonly text?: (value: never) => string;
  /** Value of a request without the property. */
  readonly fallback?: unknown;
  /** Of an option without a value: the value that it sets. */
  readonly sets?: boolean;
  /** Whether `retune` changes it. */
  readonly isRetunable?: boolean;
  /** Whether it is a property of the File, and not only of its upload. */
  readonly isOfFile?: boolean;
}

type Rows<Request> = Readonly<Partial<Record<keyof Request, OptionRow>>>;

const priorityText = (priority: number): string =>
  Object.entries(Priorities).find(([, value]) => value === priority)?.[0] ?? String(priority);

/** All options that do not identify the upload of a command. */
export const uploadOptionRows: Rows<SplitUploadRequest> = {
  concurrency: { option: '--concurrency', fallback: Defaults.concurrency, isRetunable: true },
  partSizeBytes: { option: '--part-size', text: bytesText, isRetunable: true },
  limitBytesPerSecond: { option: '--limit', text: rateText, fallback: 0, isRetunable: true },
  maxSessions: { option: '--max-sessions', fallback: Defaults.maxSessions },
  giveUpAfterMs: {
    option: '--give-up-after',
    text: (ms: number) => (ms === 0 ? 'never' : durationText(ms)),
    fallback: Defaults.giveUpAfterMs,
  },
  heartbeatTimeoutMs: { option: '--heartbeat-timeout', text: durationText, fallback: Defaults.heartbeatTimeoutMs },
  transferTaskQueue: { option: '--transfer-queue' },
  priority: { option: '--priority', text: priorityText, fallback: Priorities.normal },
  fairnessKey: { option: '--fairness-key' },
  fairnessWeight: { option: '--fairness-weight', fallback: 1 },
  ignoreInode: { option: '--ignore-inode', sets: true, fallback: false, isRetunable: true },
  md5: { option: '--no-md5', sets: false, fallback: true, isOfFile: true },
  check: { option: '--check', fallback: 'auto' },
  mimeType: { option: '--mime-type', isOfFile: true },
  fileExpiresAfterSeconds: {
    option: '--expires-after',
    text: (seconds: number) => durationText(seconds * 1000),
    isOfFile: true,
  },
};

const listText = (values: readonly string[]): string => values.map((value) => `'${value}'`).join(', ');

export const syncOptionRows: Rows<SyncRequest> = {
  include: { option: '--include', text: listText },
  exclude: { option: '--exclude', text: listText },
  manifest: { option: '--manifest', text: nameOfSource },
  checksum: { option: '--checksum', sets: true, fallback: false },
  delete: { option: '--delete', sets: true, fallback: false },
  minAgeMs: { option: '--min-age', text: durationText, fallback: 0 },
  maxFiles: { option: '--max-files' },
  maxConcurrentUploads: { option: '--concurrency', fallback: Defaults.maxConcurrentUploads },
  limitBytesPerSecond: { option: '--limit', text: rateText, fallback: 0 },
  dryRun: { option: '--dry-run', sets: true, fallback: false },
};

const syncUploadRows = {
  ...uploadOptionRows,
  concurrency: { option: '--part-concurrency', fallback: Defaults.concurrency },
  priority: { ...uploadOptionRows.priority, fallback: Priorities.bulk },
} as Rows<UploadRequest>;

/** The state of an upload that an earlier command started. */
interface RunningUpload {
  readonly workflowId: string;
  readonly request: UploadRequest;
  /** Undefined if no worker responds. */
  readonly progress: JobProgress<'upload' | 'split'> | undefined;
  /** Query of the source's URL; undefined without a query, or if it cannot be unsealed. */
  readonly query?: string | undefined;
}

interface ThisCommand {
  readonly request: Readonly<Partial<UploadRequest>>;
  readonly query?: string | undefined;
  /** Whether the worker of the command sends the parts, at most `--concurrency` at the same time. */
  readonly isWorker: boolean;
}

type Fields = Record<string, unknown>;

const RESTART = 'To change it, cancel the upload and run the command again';

/** One line for each option that differs between the command and the upload that is running. */
export function runningDifferences(running: RunningUpload, command: ThisCommand): readonly string[] {
  const { workflowId, request, progress, query } = running;
  const own: Fields = { ...command.request };
  const kept: Fields = { ...request };
  if (progress) {
    // Zero until the first activity has returned.
    kept['concurrency'] = progress.concurrency || request.concurrency;
    kept['limitBytesPerSecond'] = progress.limit?.bytesPerSecond;
    if (own['partSizeBytes'] !== undefined) kept['partSizeBytes'] = progress.partSizeBytes || request.partSizeBytes;
  }
  const { concurrency } = command.request;
  const most = progress?.concurrency || (request.concurrency ?? Defaults.concurrency);
  if (command.isWorker && concurrency !== undefined && concurrency < most) {
    // Its worker sends at most this number of parts.
    delete own['concurrency'];
    delete kept['concurrency'];
  }
  const id = shellWord(workflowId);
  const fixOf = ({ option, sets, isRetunable }: OptionRow, value: string | undefined) => {
    // An option without a value cannot be reset.
    if (!isRetunable || (sets !== undefined && value !== String(sets))) return RESTART;
    if (sets !== undefined) return `Use "longhaul retune ${id} ${option}"`;
    const next = option === '--part-size' ? ', for its next session' : '';
    return `Use "longhaul retune ${id} ${option} ${value ?? '<bytes>'}"${next}`;
  };
  const lines = differences(uploadOptionRows, own, kept, 'this upload', fixOf);
  if (command.query !== undefined && query !== undefined && command.query !== query) {
    const what = 'this upload continues with the query of the URL that it was started with';
    lines.push(`the query of this URL is not in effect: ${what}. ${RESTART}.`);
  }
  return lines;
}

/** One line for each option of a command that its completed upload does not have. */
export function completedDifferences(request: UploadRequest, own: Readonly<Partial<UploadRequest>>): readonly string[] {
  const rows = Object.entries(uploadOptionRows).filter(
    ([name, row]) => row.isOfFile && own[name as keyof UploadRequest] !== undefined,
  );
  const given = Object.fromEntries(rows.map(([name]) => [name, own[name as keyof UploadRequest]]));
  const fixOf = () => 'To upload the file again, add --again';
  return differences(Object.fromEntries(rows), given, request, 'the File', fixOf);
}

/** One line for each option that differs between a command and the sync of its ID that is running. */
export function syncDifferences(workflowId: string, running: SyncRequest, own: SyncRequest): readonly string[] {
  const fixOf = () => `To change it, run "longhaul cancel ${shellWord(workflowId)}", then this command again`;
  return [
    ...differences(syncOptionRows, own, running, 'this sync', fixOf),
    ...differences(syncUploadRows, own.upload ?? {}, running.upload ?? {}, 'this sync', fixOf),
  ];
}

function differences(
  rows: Readonly<Record<string, OptionRow | undefined>>,
  own: object,
  kept: object,
  subject: string,
  fixOf: (row: OptionRow, value: string | undefined) => string,
): string[] {
  return Object.entries(rows).flatMap(([name, row]) => {
    if (!row) return [];
    const { option, sets, fallback } = row;
    const text = (value: unknown) => (row.text ? row.text(value as never) : String(value));
    const shown = (value: unknown) => (sets === undefined ? `${option} ${text(value)}` : option);
    // An option without a value that is not set was not used.
    const isGiven = (value: unknown) => value !== undefined && (sets === undefined || value === sets);
    const [given, has] = [own, kept].map((request) => (request as Fields)[name]);
    if (isDeepStrictEqual(given ?? fallback, has ?? fallback)) return [];
    if (isGiven(given)) {
      const hasValue = sets === undefined && (has ?? fallback) !== undefined;
      const keeps = hasValue ? shown(has ?? fallback) : 'the default';
      return [`${shown(given)} is not in effect: ${subject} keeps ${keeps}. ${fixOf(row, text(given))}.`];
    }
    const next = fallback === undefined ? undefined : text(fallback);
    return [`${subject} keeps ${shown(has)}, which this command does not set. ${fixOf(row, next)}.`];
  });
}
