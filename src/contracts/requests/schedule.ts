import * as z from 'zod';
import { isTimezone } from '../../core/schedule/settings.ts';
import { ScheduleOverlaps, type ScheduleSettings } from '../schedule.ts';
import { by, flag } from './fields.ts';

/** Temporal accepts no shorter catchup window. */
const LEAST_CATCHUP_MS = 10_000;
const YEAR_MS = 366 * 86_400_000;

const INTERVAL = 'the interval must be whole seconds, from 1s to 366d';
const OFFSET = 'the offset must be whole seconds and less than the interval';

const between = (message: string, least: number) =>
  z.int(`../${message}`).min(least, `../${message}`).max(YEAR_MS, `../${message}`);

/** Temporal checks the expression. Comments are rejected, because Longhaul stores the text of the expression as its comment. */
function cronProblem(expression: string): string | undefined {
  const problem = 'comments ("#") are not supported. Use the note';
  return expression.includes('#') ? `../../cron "${expression}": ${problem}` : undefined;
}

function timezoneProblem(name: string): string | undefined {
  return isTimezone(name) ? undefined : `../unknown time zone "${name}". Use an IANA name such as Europe/Berlin`;
}

function timesProblem({ everyMs, offsetMs, startAt, endAt }: ScheduleSettings): string | undefined {
  if (offsetMs !== undefined && everyMs === undefined) return 'an offset requires an interval';
  if (offsetMs !== undefined && everyMs !== undefined && offsetMs >= everyMs) return OFFSET;
  return startAt && endAt && startAt >= endAt ? 'the end must be later than the start' : undefined;
}

/** Settings of a schedule. They are not JSON: Temporal has its own format. */
export const scheduleSettings = z
  .object({
    cron: z.array(z.string('../../a cron expression must be a string').superRefine(by(cronProblem))).optional(),
    everyMs: between(INTERVAL, 1000).multipleOf(1000, `../${INTERVAL}`).optional(),
    offsetMs: between(OFFSET, 0).multipleOf(1000, `../${OFFSET}`).optional(),
    timezone: z.string('must be a string').superRefine(by(timezoneProblem)).optional(),
    jitterMs: between('the jitter must be 0 to 366d', 0).optional(),
    catchupWindowMs: between('the catchup window must be 10s to 366d', LEAST_CATCHUP_MS).optional(),
    overlap: z
      .enum(ScheduleOverlaps, {
        error: ({ input }) => `../unknown overlap policy "${String(input)}". Use ${ScheduleOverlaps.join(', ')}`,
      })
      .optional(),
    pauseOnFailure: flag.optional(),
    startAt: z.date('../the start must be a time').optional(),
    endAt: z.date('../the end must be a time').optional(),
    note: z.string('must be a string').optional(),
  })
  .superRefine(by(timesProblem)) satisfies z.ZodType<ScheduleSettings>;
