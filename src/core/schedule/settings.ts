import { ScheduleOverlaps, type ScheduleSettings } from '../../contracts/schedule.ts';
import { cronProblem } from './cron.ts';

/** Temporal takes no shorter catch-up window. */
const LEAST_CATCHUP_MS = 10_000;
const YEAR_MS = 366 * 86_400_000;

export const SCHEDULE_NAME_RULE =
  'must begin with a letter or digit and have at most 64 letters, digits, ".", "_" and "-"';

/** Names stand in ids, command lines and addresses of the UI. */
export function isScheduleName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name);
}

/**
 * Every problem of a schedule's settings, in words; none for good ones.
 *
 * @param isWhole whether they are all that the schedule has, so that its times must be among them
 */
export function scheduleSettingsProblems(settings: ScheduleSettings, isWhole: boolean): string[] {
  const { cron, everyMs, offsetMs, timezone, jitterMs, catchupWindowMs, overlap, startAt, endAt } = settings;
  const problems: string[] = [];
  if (isWhole && !cron?.length && everyMs === undefined)
    problems.push('it has no times: give a cron expression or an interval');
  for (const expression of cron ?? []) {
    const problem = cronProblem(expression);
    if (problem) problems.push(`cron "${expression}": ${problem}`);
  }
  if (everyMs !== undefined && !isWholeSeconds(everyMs, 1000))
    problems.push('the interval must be whole seconds, at least 1s');
  if (offsetMs !== undefined) {
    if (everyMs === undefined) problems.push('an offset needs an interval');
    else if (!isWholeSeconds(offsetMs, 0) || offsetMs >= everyMs) {
      problems.push('the offset must be whole seconds and less than the interval');
    }
  }
  if (timezone !== undefined && !isTimezone(timezone)) {
    problems.push(`unknown time zone "${timezone}"; give an IANA name such as Europe/Berlin`);
  }
  if (jitterMs !== undefined && !isBetween(jitterMs, 0, YEAR_MS)) problems.push('the jitter must be 0 to 366d');
  if (catchupWindowMs !== undefined && !isBetween(catchupWindowMs, LEAST_CATCHUP_MS, YEAR_MS)) {
    problems.push('the catch-up window must be 10s to 366d');
  }
  if (overlap !== undefined && !ScheduleOverlaps.includes(overlap)) {
    problems.push(`unknown overlap policy "${overlap}"; known: ${ScheduleOverlaps.join(', ')}`);
  }
  for (const [what, date] of [
    ['start', startAt],
    ['end', endAt],
  ] as const) {
    if (date !== undefined && Number.isNaN(date.getTime())) problems.push(`the ${what} is no time`);
  }
  if (startAt && endAt && startAt >= endAt) problems.push('the end must be later than the start');
  return problems;
}

function isWholeSeconds(ms: number, least: number): boolean {
  return isBetween(ms, least, YEAR_MS) && ms % 1000 === 0;
}

function isBetween(ms: number, least: number, most: number): boolean {
  return Number.isSafeInteger(ms) && ms >= least && ms <= most;
}

function isTimezone(name: string): boolean {
  // Offsets such as +02:00 are good enough for Intl, but Temporal takes names only.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
