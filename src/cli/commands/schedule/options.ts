import type { Command } from 'commander';
import type { Config } from '../../../config/config.ts';
import { ScheduleOverlaps, type ScheduleOverlap, type ScheduleSettings } from '../../../contracts/schedule.ts';
import { scheduleSettingsProblems } from '../../../contracts/requests/problems.ts';
import { parseDuration } from '../../../core/text/parse.ts';
import { ConfigError } from '../../../errors.ts';
import type { ScheduleWork } from '../../../client/schedules/schedule-options.ts';
import { LonghaulCommand } from '../../command.ts';
import { repeatedOption } from '../../options/values.ts';
import { addSyncOptions, toSyncRequest, type SyncOptions } from '../sync/options.ts';
import { addUploadRequestOptions, toUploadRequest, type UploadCommandOptions } from '../upload/options.ts';

/** Options as typed. `toScheduleSettings` parses them, so that it reports all problems together. */
export interface ScheduleCommandOptions {
  readonly cron?: readonly string[];
  readonly every?: string;
  readonly offset?: string;
  readonly timezone?: string;
  readonly jitter?: string;
  readonly overlap?: string;
  readonly catchup?: string;
  readonly pauseOnFailure?: boolean;
  readonly start?: string;
  readonly end?: string;
  readonly note?: string;
}

export function addScheduleOptions(command: Command): Command {
  return command
    .option(
      '--cron <expression>',
      'cron expression, such as "0 2 * * *" for 02:00 every day (repeatable)',
      repeatedOption,
    )
    .option('--every <duration>', 'interval such as 6h or 1h30m, counted from 1970-01-01T00:00Z')
    .option('--offset <duration>', 'offset of the times of --every (default: 0s)')
    .option('--timezone <zone>', 'time zone of --cron, such as Europe/Berlin (default: UTC)')
    .option('--jitter <duration>', 'maximum random delay of each run (default: 0s)')
    .option('--overlap <policy>', `policy: ${ScheduleOverlaps.join(', ')} (default: skip)`)
    .option('--catchup <duration>', 'maximum age of a missed run that still starts after an outage (default: 1d)')
    .option('--pause-on-failure', 'pause the schedule if a run fails')
    .option('--no-pause-on-failure', 'keep the schedule running if a run fails (default)')
    .option('--start <time>', 'time of the first possible run, such as 2026-12-01T00:00:00Z')
    .option('--end <time>', 'time of the last possible run')
    .option('--note <text>', 'note for operators');
}

/** Adds each problem to `problems`. */
export function toScheduleSettings(
  options: ScheduleCommandOptions,
  isWhole: boolean,
  problems: string[],
): ScheduleSettings {
  const duration = (name: 'every' | 'offset' | 'jitter' | 'catchup'): number | undefined => {
    const text = options[name];
    const ms = text === undefined ? undefined : parseDuration(text);
    if (text !== undefined && ms === undefined) {
      problems.push(`--${name} must be a duration, for example 90s, 15m, 6h, 1d or 1h30m, not "${text}"`);
    }
    return ms;
  };
  const { cron, timezone, overlap, pauseOnFailure, note, start, end } = options;
  const settings: ScheduleSettings = {
    cron,
    everyMs: duration('every'),
    offsetMs: duration('offset'),
    timezone,
    jitterMs: duration('jitter'),
    catchupWindowMs: duration('catchup'),
    overlap: overlap as ScheduleOverlap | undefined,
    pauseOnFailure,
    startAt: start === undefined ? undefined : timeOption('start', start, problems),
    endAt: end === undefined ? undefined : timeOption('end', end, problems),
    note,
  };
  if (isWhole && cron === undefined && options.every === undefined) {
    problems.push('set --cron or --every, for example --cron "0 2 * * *" or --every 6h');
  }
  problems.push(...scheduleSettingsProblems(settings, false));
  return settings;
}

/** Parses the value of an option. Adds its problem to `problems`. */
export function timeOption(name: string, text: string, problems: string[]): Date | undefined {
  const time = parseTime(text);
  if (!time) problems.push(`--${name} must be a time, ${TIME_EXAMPLES}, not "${text}"`);
  return time;
}

const TIME_EXAMPLES = 'for example 2026-12-01, 2026-12-01T02:00Z or 2026-12-01T02:00:00+01:00';

/** Parses a time with a zone, or a date, which is midnight in UTC. Undefined for any other text, such as 30 February. */
export function parseTime(text: string): Date | undefined {
  const match = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.exec(text.trim());
  const date = new Date(text.trim());
  if (!match || Number.isNaN(date.getTime())) return undefined;
  const day = new Date(`${match[1]}T00:00:00Z`);
  return day.toISOString().startsWith(match[1] as string) ? date : undefined;
}

/** Parses the arguments after `--`: `sync SOURCE …` or `upload FILE …`. Adds each problem to `problems`. */
export async function toScheduledWork(
  words: readonly string[],
  config: Pick<Config, 'host' | 'destinations'>,
  problems: string[],
): Promise<ScheduleWork | undefined> {
  const [name = '', ...args] = words;
  try {
    if (name === 'sync') {
      const { source, options } = parse(name, addSyncOptions, args);
      return { sync: await toSyncRequest(source, options as SyncOptions, config) };
    }
    if (name === 'upload') {
      const { source, options } = parse(name, addUploadRequestOptions, args);
      return { upload: await toUploadRequest(source, options as UploadCommandOptions, config) };
    }
    const not = name === '' ? '' : `, not "${name}"`;
    problems.push(`after "--", use "sync" or "upload"${not}, for example: -- sync ./data --purpose batch`);
  } catch (error) {
    const { message } = error as Error;
    problems.push(
      `${name}: ${message
        .trim()
        .replace(/^error: |^invalid sync: |\.$/g, '')
        .replace(/\s*\n\s*/g, ' ')}`,
    );
  }
  return undefined;
}

/** @throws CommanderError, which is not printed */
function parse(name: string, add: (command: Command) => Command, args: readonly string[]) {
  const command = add(new LonghaulCommand(name).argument('<source>'))
    .exitOverride()
    .helpOption(false)
    .configureOutput({ writeErr: () => {}, outputError: () => {} })
    .action(() => {})
    .parse(args, { from: 'user' });
  return { source: command.args[0] as string, options: command.opts() };
}

/** @throws ConfigError if `problems` is not empty */
export function throwProblems(problems: readonly string[]): void {
  if (problems.length > 0) throw new ConfigError(`invalid schedule: ${problems.join('; ')}`);
}
