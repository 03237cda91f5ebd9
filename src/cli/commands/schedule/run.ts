import { hasWorkers } from '../../../client/queues/queue-workers.ts';
import type { ScheduleOverlap } from '../../../contracts/schedule.ts';
import { parseDuration } from '../../../core/text/parse.ts';
import { isScheduleName, SCHEDULE_NAME_RULE } from '../../../core/schedule/settings.ts';
import { ConfigError } from '../../../errors.ts';
import type { ScheduleInfo } from '../../../client/schedules/schedule-options.ts';
import type { SchedulesClient } from '../../../client/schedules/schedules-client.ts';
import { withBackend, type Backend } from '../../backend.ts';
import { assertPromptable, confirm } from '../../text/terminal.ts';
import type { CliContext } from '../../context.ts';
import { establishHost } from '../../checks/establish-host.ts';
import { AlreadyReported } from '../../errors.ts';
import {
  parseTime,
  throwProblems,
  TIME_EXAMPLES,
  toScheduledWork,
  toScheduleSettings,
  type ScheduleCommandOptions,
} from './options.ts';
import { describeSchedule, describeScheduleLine } from './view.ts';

export async function createScheduleCommand(
  context: CliContext,
  name: string,
  words: readonly string[],
  options: ScheduleCommandOptions & { paused?: boolean; json?: boolean },
): Promise<void> {
  await establishHost(context);
  const problems = isScheduleName(name) ? [] : [`its name ${SCHEDULE_NAME_RULE}`];
  const settings = toScheduleSettings(options, true, problems);
  const work = await toScheduledWork(words, context.config, problems);
  throwProblems(problems);
  const destination = (work?.sync ?? work?.upload)?.destination;
  await withBackend(context, { destination }, async (backend) => {
    const paused = options.paused ?? false;
    const created = await backend.client.schedules.create({ name, ...settings, ...work, paused });
    if (options.json) context.json(created);
    else context.out(name);
    await noteSchedule(context, backend, created);
  });
}

export async function updateScheduleCommand(
  context: CliContext,
  name: string,
  words: readonly string[],
  options: ScheduleCommandOptions & { json?: boolean },
): Promise<void> {
  await establishHost(context);
  const problems: string[] = [];
  const settings = toScheduleSettings(options, false, problems);
  const work = words.length > 0 ? await toScheduledWork(words, context.config, problems) : undefined;
  throwProblems(problems);
  if (!work && Object.values(settings).every((value) => value === undefined))
    throw new ConfigError('nothing to change. Use at least one option.');
  const destination = (work?.sync ?? work?.upload)?.destination;
  await withBackend(context, { destination }, async (backend) => {
    const changed = await backend.client.schedules.update(name, { ...settings, ...work });
    if (options.json) context.json(changed);
    await noteSchedule(context, backend, changed);
  });
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

export async function listSchedulesCommand(context: CliContext, options: { json?: boolean }): Promise<void> {
  await onSchedules(context, async (schedules) => {
    const found = await schedules.list();
    if (options.json) return context.json({ schedules: found });
    if (found.length === 0) context.note('no schedule found');
    for (const schedule of found) context.out(describeScheduleLine(schedule));
  });
}

export async function showScheduleCommand(
  context: CliContext,
  name: string,
  options: { json?: boolean },
): Promise<void> {
  await onSchedules(context, async (schedules) => {
    const report = await schedules.show(name);
    if (options.json) return context.json(report);
    for (const line of describeSchedule(report)) context.out(line);
  });
}

/** Fails if a schedule requires attention. */
export async function checkSchedulesCommand(
  context: CliContext,
  names: readonly string[],
  options: { grace?: string; json?: boolean },
): Promise<void> {
  const graceMs = options.grace === undefined ? undefined : parseDuration(options.grace);
  if (options.grace !== undefined && graceMs === undefined) {
    throw new ConfigError(`--grace must be a duration, for example 90s, 15m or 1h30m, not "${options.grace}"`);
  }
  await onSchedules(context, async (schedules) => {
    const checked = names.length > 0 ? names : (await schedules.list()).map(({ name }) => name);
    const checks = await Promise.all(checked.map((name) => schedules.check(name, { graceMs })));
    if (options.json) context.json({ healthy: checks.every(({ healthy }) => healthy), schedules: checks });
    else for (const { name, health, reason } of checks) context.out(`${name}: ${health}: ${reason}`);
    if (checks.length === 0) context.note('no schedule found');
    if (checks.some(({ healthy }) => !healthy)) throw new AlreadyReported();
  });
}

export async function pauseScheduleCommand(
  context: CliContext,
  name: string,
  options: { note?: string; json?: boolean },
  paused: boolean,
): Promise<void> {
  await onSchedules(context, async (schedules) => {
    const schedule = await schedules.update(name, { paused, note: options.note });
    if (options.json) context.json(schedule);
    context.note(describeScheduleLine(schedule));
  });
}

export async function triggerScheduleCommand(
  context: CliContext,
  name: string,
  options: { json?: boolean },
): Promise<void> {
  await onSchedules(context, async (schedules) => {
    const workflowId = await schedules.trigger(name);
    if (options.json) return context.json({ name, workflowId: workflowId ?? null });
    if (workflowId === undefined) context.note('the run starts after the current run');
    else context.out(workflowId);
  });
}

export async function backfillScheduleCommand(
  context: CliContext,
  name: string,
  options: { from: string; to?: string; overlap?: string; json?: boolean },
): Promise<void> {
  const from = parseTime(options.from);
  const to = options.to === undefined ? new Date() : parseTime(options.to);
  const problems = [
    ...(from ? [] : [`--from must be a time, ${TIME_EXAMPLES}, not "${options.from}"`]),
    ...(to ? [] : [`--to must be a time, ${TIME_EXAMPLES}, not "${options.to}"`]),
  ];
  if (!from || !to) throw new ConfigError(problems.join('; '));
  const overlap = options.overlap as ScheduleOverlap | undefined;
  await onSchedules(context, async (schedules) => {
    await schedules.backfill(name, { from, to, overlap });
    if (options.json) context.json({ name, from, to });
    context.note(`starting the runs that were due from ${from.toISOString()} to ${to.toISOString()}`);
  });
}

export async function deleteScheduleCommand(
  context: CliContext,
  name: string,
  options: { yes?: boolean; json?: boolean },
): Promise<void> {
  await onSchedules(context, async (schedules) => {
    const schedule = await schedules.get(name);
    if (!options.yes) {
      assertPromptable(context.stdin.isTTY, 'Use --yes to delete the schedule.');
      context.note(describeScheduleLine(schedule));
      if (!(await confirm(context, 'Delete it?'))) {
        if (options.json) context.json({ name, deleted: false });
        return context.note('deleted nothing');
      }
    }
    await schedules.delete(name);
    if (options.json) context.json({ name, deleted: true });
    context.note(`deleted ${name}. A current run continues.`);
  });
}

async function onSchedules(context: CliContext, command: (schedules: SchedulesClient) => Promise<void>): Promise<void> {
  await withBackend(context, {}, ({ client }) => command(client.schedules));
}
