import { hasWorkers } from '../../../client/queues/queue-workers.ts';
import type { ScheduleOverlap } from '../../../contracts/schedule.ts';
import { parseDuration } from '../../../core/text/parse.ts';
import { isScheduleName, SCHEDULE_NAME_RULE } from '../../../core/schedule/settings.ts';
import { ConfigError } from '../../../errors.ts';
import type { ScheduleInfo, ScheduleWork } from '../../../client/schedules/schedule-options.ts';
import type { SchedulesClient } from '../../../client/schedules/schedules-client.ts';
import { withBackend, type Backend } from '../../backend.ts';
import { assertPromptable, confirm } from '../../text/terminal.ts';
import type { CliContext } from '../../context.ts';
import { establishHost } from '../../checks/establish-host.ts';
import { AlreadyReported } from '../../errors.ts';
import {
  throwProblems,
  timeOption,
  toScheduledWork,
  toScheduleSettings,
  type ScheduleCommandOptions,
} from './options.ts';
import { describeSchedule, describeScheduleLine } from './view.ts';

interface Json {
  readonly json?: boolean;
}

export async function createSchedule(
  context: CliContext,
  name: string,
  words: readonly string[],
  options: ScheduleCommandOptions & Json & { readonly paused?: boolean },
): Promise<void> {
  await establishHost(context);
  const problems = isScheduleName(name) ? [] : [`its name ${SCHEDULE_NAME_RULE}`];
  const settings = toScheduleSettings(options, true, problems);
  const work = await toScheduledWork(words, context.config, problems);
  throwProblems(problems);
  await withBackend(context, { destination: destinationOf(work) }, async (backend) => {
    const paused = options.paused ?? false;
    const created = await backend.client.schedules.create({ name, ...settings, ...work, paused });
    if (options.json) context.json(created);
    else context.out(name);
    await noteSchedule(context, backend, created);
  });
}

export async function updateSchedule(
  context: CliContext,
  name: string,
  words: readonly string[],
  options: ScheduleCommandOptions & Json,
): Promise<void> {
  await establishHost(context);
  const problems: string[] = [];
  const settings = toScheduleSettings(options, false, problems);
  const work = words.length > 0 ? await toScheduledWork(words, context.config, problems) : undefined;
  throwProblems(problems);
  if (!work && Object.values(settings).every((value) => value === undefined))
    throw new ConfigError('nothing to change. Use at least one option.');
  await withBackend(context, { destination: destinationOf(work) }, async (backend) => {
    const changed = await backend.client.schedules.update(name, { ...settings, ...work });
    if (options.json) context.json(changed);
    await noteSchedule(context, backend, changed);
  });
}

function destinationOf(work: ScheduleWork | undefined): string | undefined {
  return (work?.sync ?? work?.upload)?.destination;
}

/** Prints the schedule, and a warning if its runs can have no worker. */
async function noteSchedule({ note }: CliContext, backend: Backend, schedule: ScheduleInfo): Promise<void> {
  note(describeScheduleLine(schedule));
  if (backend.isEmbedded) {
    note(
      'on the embedded server, a run starts only while that server and a worker are running. Keep "longhaul worker" running with the same environment, or set TEMPORAL_ADDRESS to a cluster.',
    );
  } else if (!(await hasWorkers(backend.client.temporal, schedule.taskQueue, 'workflow'))) {
    note(
      `no worker polls task queue "${schedule.taskQueue}", so runs will wait. Start "longhaul worker" with the same TEMPORAL_ADDRESS.`,
    );
  }
}

/** Returns a command that uses only the schedules of Temporal. */
function onSchedules<Args extends readonly unknown[]>(
  command: (schedules: SchedulesClient, context: CliContext, ...args: Args) => Promise<void>,
): (context: CliContext, ...args: Args) => Promise<void> {
  return (context, ...args) => withBackend(context, {}, ({ client }) => command(client.schedules, context, ...args));
}

export const listSchedules = onSchedules(async (schedules, context, options: Json) => {
  const found = await schedules.list();
  if (options.json) return context.json({ schedules: found });
  if (found.length === 0) context.note('no schedule found');
  for (const schedule of found) context.out(describeScheduleLine(schedule));
});

export const showSchedule = onSchedules(async (schedules, context, name: string, options: Json) => {
  const report = await schedules.show(name);
  if (options.json) return context.json(report);
  for (const line of describeSchedule(report)) context.out(line);
});

/** Fails if a schedule requires attention. */
export async function checkSchedules(
  context: CliContext,
  names: readonly string[],
  { grace, json }: Json & { readonly grace?: string },
): Promise<void> {
  const graceMs = grace === undefined ? undefined : parseDuration(grace);
  if (grace !== undefined && graceMs === undefined) {
    throw new ConfigError(`--grace must be a duration, for example 90s, 15m or 1h30m, not "${grace}"`);
  }
  await withBackend(context, {}, async ({ client: { schedules } }) => {
    const checked = names.length > 0 ? names : (await schedules.list()).map(({ name }) => name);
    const checks = await Promise.all(checked.map((name) => schedules.check(name, { graceMs })));
    if (json) context.json({ healthy: checks.every(({ healthy }) => healthy), schedules: checks });
    else for (const { name, health, reason } of checks) context.out(`${name}: ${health}: ${reason}`);
    if (checks.length === 0) context.note('no schedule found');
    if (checks.some(({ healthy }) => !healthy)) throw new AlreadyReported();
  });
}

const setPaused = (paused: boolean) =>
  onSchedules(async (schedules, context, name: string, { note, json }: Json & { readonly note?: string }) => {
    const schedule = await schedules.update(name, { paused, note });
    if (json) context.json(schedule);
    context.note(describeScheduleLine(schedule));
  });

export const pauseSchedule = setPaused(true);
export const resumeSchedule = setPaused(false);

export const triggerSchedule = onSchedules(async (schedules, context, name: string, options: Json) => {
  const workflowId = await schedules.trigger(name);
  if (options.json) return context.json({ name, workflowId: workflowId ?? null });
  if (workflowId === undefined) context.note('the run starts after the current run');
  else context.out(workflowId);
});

export async function backfillSchedule(
  context: CliContext,
  name: string,
  options: Json & { readonly from: string; readonly to?: string; readonly overlap?: ScheduleOverlap },
): Promise<void> {
  const problems: string[] = [];
  const from = timeOption('from', options.from, problems);
  const to = options.to === undefined ? new Date() : timeOption('to', options.to, problems);
  if (!from || !to) throw new ConfigError(problems.join('; '));
  await withBackend(context, {}, async ({ client: { schedules } }) => {
    await schedules.backfill(name, { from, to, overlap: options.overlap });
    if (options.json) context.json({ name, from, to });
    context.note(`starting the runs that were due from ${from.toISOString()} to ${to.toISOString()}`);
  });
}

type DeleteOptions = Json & { readonly yes?: boolean };

export const deleteSchedule = onSchedules(async (schedules, context, name: string, { yes, json }: DeleteOptions) => {
  const schedule = await schedules.get(name);
  if (!yes) {
    assertPromptable(context.stdin.isTTY, 'Use --yes to delete the schedule.');
    context.note(describeScheduleLine(schedule));
    if (!(await confirm(context, 'Delete it?'))) {
      if (json) context.json({ name, deleted: false });
      return context.note('deleted nothing');
    }
  }
  await schedules.delete(name);
  if (json) context.json({ name, deleted: true });
  context.note(`deleted ${name}. A current run continues.`);
});
