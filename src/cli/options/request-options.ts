import { Option, type Command } from 'commander';
import type { Config } from '../../config/config.ts';
import { configuredLimits } from '../../config/destinations.ts';
import { ContentChecks, type ContentCheck } from '../../contracts/content.ts';
import { Defaults, KnownPurposes, Limits } from '../../contracts/limits.ts';
import type { SyncUploadSettings } from '../../contracts/sync.ts';
import { formatBytes } from '../../core/text/format.ts';
import { partSizeProblem } from '../../core/upload/plan.ts';
import { ConfigError } from '../../errors.ts';
import {
  fairnessKeyOption,
  fairnessWeightOption,
  fileLifeOption,
  giveUpOption,
  limitOption,
  mimeTypeOption,
  partSizeOption,
  priorityOption,
  wholeNumberOption,
} from './values.ts';

export interface RequestOptions {
  readonly purpose: string;
  readonly destination?: string;
  readonly connection?: string;
  readonly mimeType?: string;
  /** Seconds. */
  readonly expiresAfter?: number;
  readonly partSize?: number;
  /** Bytes per second. */
  readonly limit?: number;
  readonly maxSessions?: number;
  /** Milliseconds; 0: never. */
  readonly giveUpAfter?: number;
  /** 1 to 5. */
  readonly priority?: number;
  readonly fairnessKey?: string;
  readonly fairnessWeight?: number;
  readonly ignoreInode?: boolean;
  readonly check: ContentCheck;
  readonly md5: boolean;
}

/** Adds the options that `upload`, `sync` and the sync of a schedule have in common. */
export function addRequestOptions(
  command: Command,
  defaults: { readonly priority: string; readonly fairness: string; readonly limited: string },
): Command {
  return command
    .requiredOption('--purpose <purpose>', 'purpose of the Files: fine-tune, batch, assistants, vision …')
    .option('--destination <name>', 'destination of the config file (default: OPENAI_BASE_URL and OPENAI_API_KEY)')
    .option('--connection <name>', "S3 connection of the config file, for s3:// (default: AWS's environment)")
    .option('--mime-type <type>', 'MIME type of the Files (default: by the extension of the name)', mimeTypeOption)
    .option('--expires-after <duration>', 'lifetime of the Files, from 1h to 30d (default: no end)', fileLifeOption)
    .option('--part-size <bytes>', 'size of the parts (default: 1/128 of the file, from 8MiB to 64MiB)', partSizeOption)
    .option('--limit <rate>', `maximum rate of ${defaults.limited}, such as 50MiB/s (default: none)`, limitOption)
    .option(
      '--max-sessions <n>',
      `maximum sessions of an upload, 1 to 10 (default: ${Defaults.maxSessions})`,
      wholeNumberOption(1, 10),
    )
    .option('--give-up-after <duration>', `maximum wait for an operator, or never (default: 24h)`, giveUpOption)
    .option(
      '--priority <priority>',
      `priority: interactive, normal, bulk, or 1 (first) to 5 (last) (default: ${defaults.priority})`,
      priorityOption,
    )
    .option(
      '--fairness-key <key>',
      `key of uploads that share one turn (default: ${defaults.fairness})`,
      fairnessKeyOption,
    )
    .option(
      '--fairness-weight <n>',
      `share of the key, ${Limits.minFairnessWeight} to ${Limits.maxFairnessWeight} (default: 1)`,
      fairnessWeightOption,
    )
    .option('--ignore-inode', 'accept another inode of a file, as after a remount (the MD5 verifies it)')
    .addOption(
      new Option('--check <check>', 'content check of JSONL files (auto: by the purpose)')
        .choices(ContentChecks)
        .default('auto'),
    )
    .option('--no-md5', 'skip the MD5 of the whole file, which the service verifies');
}

/** The settings of a request that these options contain, under the names of a request. */
export function uploadSettingsOf(options: RequestOptions): Omit<SyncUploadSettings, 'concurrency'> {
  const { mimeType, expiresAfter, partSize, maxSessions, giveUpAfter, priority, fairnessKey, fairnessWeight } = options;
  return {
    mimeType,
    fileExpiresAfterSeconds: expiresAfter,
    partSizeBytes: partSize,
    maxSessions,
    giveUpAfterMs: giveUpAfter,
    priority,
    fairnessKey,
    fairnessWeight,
    ignoreInode: options.ignoreInode ? true : undefined,
    check: options.check === 'auto' ? undefined : options.check,
    ...(options.md5 ? {} : { md5: false }),
  };
}

/** Returns why the destination does not have the purpose; undefined if it does. */
export function purposeProblem(
  { destinations }: Pick<Config, 'destinations'>,
  purpose: string,
  destination: string = Defaults.destination,
): string | undefined {
  const purposes: readonly string[] = [...KnownPurposes, ...(destinations.get(destination)?.purposes ?? [])];
  return purposes.includes(purpose) ? undefined : `unknown purpose "${purpose}". Use ${purposes.join(', ')}`;
}

/** Returns why `--connection` has no effect on these sources, without a period at its end; undefined if it has, or is not set. */
export function connectionProblem(connection: string | undefined, sources: readonly string[]): string | undefined {
  if (connection === undefined || sources.some((source) => /^s3:/i.test(source))) return undefined;
  return '--connection requires a source such as s3://BUCKET/KEY. Remove it: other sources do not need it';
}

/** @throws ConfigError if the destination does not accept parts of this size */
export function assertPartSize(
  config: Pick<Config, 'destinations'>,
  { purpose, destination = Defaults.destination, partSize }: RequestOptions,
): void {
  const limits = configuredLimits(config, destination, purpose);
  if (!limits || partSizeProblem(limits, partSize) === undefined) return;
  const range = `${formatBytes(limits.minPartSizeBytes)} to ${formatBytes(limits.maxPartSizeBytes)}`;
  throw new ConfigError(`--part-size must be from ${range} for this destination, for example 8MiB.`);
}
