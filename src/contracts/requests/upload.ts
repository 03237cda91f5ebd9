import * as z from 'zod';
import { MIN_LIMIT_BYTES_PER_SECOND } from '../../core/pace/rate.ts';
import { taskQueueProblem } from '../../core/task-queue.ts';
import { textUpTo } from '../../core/text/check.ts';
import { mimeTypeProblem } from '../../core/upload/mime-type.ts';
import { ignoreInodeProblem, SPLIT_IGNORES_NO_INODE } from '../../core/upload/fingerprint.ts';
import { ContentChecks } from '../content.ts';
import { Defaults, Limits, TextLimits } from '../limits.ts';
import { by, flag, objectCalled, text, whole, type Frozen } from './fields.ts';
import { container, source } from './sources.ts';

const SHARED_LIMIT = `must have "key", a text, and "bytesPerSecond", at least ${MIN_LIMIT_BYTES_PER_SECOND}`;

export const sharedLimit = z
  .strictObject(
    {
      key: text(TextLimits.taskQueue, {
        missing: `../${SHARED_LIMIT}`,
        problem: (key) => (textUpTo(TextLimits.taskQueue)(key) === undefined ? undefined : `../${SHARED_LIMIT}`),
      }).describe('name of the rate'),
      bytesPerSecond: whole(MIN_LIMIT_BYTES_PER_SECOND, Number.MAX_SAFE_INTEGER, `../${SHARED_LIMIT}`).describe(
        'bytes per second of all uploads with the key on each worker',
      ),
    },
    SHARED_LIMIT,
  )
  .meta({ id: 'SharedLimit', description: 'a rate that all uploads with one key share on each worker' });

const PIECE_SIZE = `must be a whole number from 1 to ${Limits.settableFileBytes}`;
/** A request has the size, so that another execution with the same ID cuts at the same bytes. */
const NO_AUTO =
  'must be a number. Only "longhaul upload --split auto" and uploadSplit() accept "auto", and replace it by a number';

function filenameProblem(value: unknown): string | undefined {
  const problem = textUpTo(TextLimits.filename)(value);
  if (problem !== undefined) return problem;
  if (/[\0\r\n]/.test(value as string))
    return 'must not contain a line break. Use another name (in the command: --filename)';
  return (value as string).includes('/') ? 'must be a name, not a path' : undefined;
}

export const purpose = text(TextLimits.name).describe(
  'purpose of the File: `fine-tune`, `batch`, `assistants`, `vision` …',
);

export const destination = text(TextLimits.name)
  .describe('name of a destination that the workers have. Keys are never in a request')
  .default(Defaults.destination);

export const limitBytesPerSecond = z
  .union(
    [z.literal(0), z.int().min(MIN_LIMIT_BYTES_PER_SECOND)],
    `must be 0, or a whole number from ${MIN_LIMIT_BYTES_PER_SECOND}`,
  )
  .optional()
  .meta({ default: 0 });

/** Settings that a sync passes to all of its uploads. */
export const settings = {
  partSizeBytes: whole(Limits.minPartSizeBytes, Limits.settablePartSizeBytes)
    .describe(
      'size of the parts, within the limits of the destination (1 to 64 MiB for OpenAI); default: size / 128, at least 8 MiB, at most 64 MiB',
    )
    .optional(),
  concurrency: whole(1, Limits.maxConcurrency)
    .describe('maximum number of parts that are scheduled at the same time. The slots of the workers limit it too')
    .default(Defaults.concurrency),
  maxSessions: whole(1, 10)
    .describe('maximum number of sessions. A session that expires, or that another client cancels, is replaced')
    .default(Defaults.maxSessions),
  giveUpAfterMs: whole(0, 365 * 86_400_000)
    .describe(
      'retry period: maximum time for which the upload waits for an operator to fix a problem; 0: without a limit. ' +
        'All calls and sessions of an upload share it',
    )
    .default(Defaults.giveUpAfterMs),
  md5: flag.describe('whether the service checks the MD5 of the whole file').default(true),
  check: z
    .enum(ContentChecks, `must be one of ${ContentChecks.join(', ')}`)
    .describe(
      'check of the [content](configuration.md#check-of-the-content): `jsonl`, `batch`, `chat`, `off`, or `auto` by the purpose',
    )
    .default('auto'),
  ignoreInode: flag
    .describe(
      'whether to accept another inode of the file, as after a [remount](sources.md#inodes-that-change-at-a-remount). Requires `md5`',
    )
    .default(false),
  mimeType: text(TextLimits.name, {
    problem: (value) => textUpTo(TextLimits.name)(value) ?? mimeTypeProblem(value as string),
  })
    .describe("such as `text/plain`; default: by the name's [extension](sources.md#the-mime-type)")
    .optional(),
  fileExpiresAfterSeconds: whole(3600, 2_592_000).describe('lifetime of the File; default: no end').optional(),
  priority: whole(1, Limits.lastPriority)
    .describe(
      "1 (first) to 5 (last), when uploads wait for the same workers; default: the workflow's own priority, else 3. " +
        'See [Fairness](fairness.md)',
    )
    .optional(),
  fairnessKey: text(Limits.maxFairnessKeyBytes)
    .describe(
      'uploads with the same key share the workers as if they were one upload, for example the name of a tenant; ' +
        "default: the workflow's own key, else each upload separately",
    )
    .optional(),
  fairnessWeight: z
    .number(`must be a number from ${Limits.minFairnessWeight} to ${Limits.maxFairnessWeight}`)
    .min(Limits.minFairnessWeight, `must be a number from ${Limits.minFairnessWeight} to ${Limits.maxFairnessWeight}`)
    .max(Limits.maxFairnessWeight, `must be a number from ${Limits.minFairnessWeight} to ${Limits.maxFairnessWeight}`)
    .describe("share of the key, relative to other keys; default: the workflow's own weight, else 1")
    .optional(),
};

const fields = {
  source: source.describe(
    'the source: `{"type":"file","path":"/absolute/path","host":"worker-1"}`. Without `host`, any transfer worker can read the path',
  ),
  purpose,
  filename: text(TextLimits.filename, { problem: filenameProblem })
    .meta({ pattern: String.raw`^[^/\0\r\n]*$` })
    .describe("the File's name; default: the last segment of the path")
    .optional(),
  within: container
    .describe(
      'folder or bucket that contains the source, as `source` of a sync. If only this file cannot be read, the ' +
        'upload fails and does not wait. A sync sets it',
    )
    .optional(),
  destination,
  limitBytesPerSecond: limitBytesPerSecond.describe(
    'bytes per second of all its parts on each worker that sends parts (one worker, for a file of one host); 0: no limit',
  ),
  sharedLimit: sharedLimit
    .describe(
      '`{"key":"nightly","bytesPerSecond":1048576}`: a rate that all uploads with the key share on each worker, in ' +
        'addition to their own. A sync sets it',
    )
    .optional(),
  ...settings,
  sha256: flag
    .describe('whether to add the SHA-256 of the source to the result and the receipt')
    .optional()
    .meta({ default: false }),
  expectedFingerprint: text(TextLimits.fingerprint)
    .describe('the upload fails if the source has another fingerprint')
    .optional(),
  transferTaskQueue: text(TextLimits.taskQueue, { problem: taskQueueProblem })
    .describe('queue of the workers that send the parts; default: see above')
    .optional(),
  heartbeatTimeoutMs: whole(1000, 600_000)
    .describe('time without a heartbeat after which another worker gets the part')
    .default(Defaults.heartbeatTimeoutMs),
};

/** Input of the workflow `uploadFile`: plain JSON, so that a service in any language can start it by name. */
export const uploadRequest = z
  .strictObject(fields, objectCalled('an upload request'))
  .superRefine(by(ignoreInodeProblem))
  .meta({
    title: 'UploadRequest',
    description:
      'input of the workflow `uploadFile`: plain JSON, so that a program in any language can start it by name',
  });

/**
 * Input of the workflow `uploadSplitFile`: like that of `uploadFile`, for a JSONL source that can be larger than the
 * maximum of an Upload. `filename` is the name of the whole source: the Files are `name-00001-of-00003.jsonl` and so on.
 */
export const splitRequest = z
  .strictObject(
    {
      ...fields,
      pieceSizeBytes: z
        .int({ error: ({ input }) => (input === 'auto' ? NO_AUTO : PIECE_SIZE) })
        .min(1, PIECE_SIZE)
        .max(Limits.settableFileBytes, PIECE_SIZE)
        .describe('maximum size of one File; default and maximum: that of the destination for the purpose')
        .optional(),
      again: flag.describe('whether to send pieces that an earlier execution sent').default(false),
    },
    objectCalled('an upload request'),
  )
  .superRefine(by(({ ignoreInode }) => (ignoreInode ? SPLIT_IGNORES_NO_INODE : undefined)))
  .meta({
    title: 'SplitUploadRequest',
    description:
      'input of the workflow `uploadSplitFile`: like that of `uploadFile`, for a JSONL source that can be larger than the maximum of an Upload',
  });

export type UploadRequest = Frozen<z.input<typeof uploadRequest>>;
export type SplitUploadRequest = Frozen<z.input<typeof splitRequest>>;
/** A request with its defaults, as the first activity of the workflow returns it. */
export type FullUploadRequest = Frozen<z.output<typeof uploadRequest>> & ResolvedByWorker;
export type FullSplitRequest = Frozen<z.output<typeof splitRequest>> & Pick<ResolvedByWorker, 'filename'>;
interface ResolvedByWorker {
  readonly filename: string;
  readonly partSizeBytes: number;
}
export type SharedLimit = Frozen<z.output<typeof sharedLimit>>;
