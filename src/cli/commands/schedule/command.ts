import type { Command } from 'commander';
import type { Runs } from '../../context.ts';
import { addScheduleOptions } from './options.ts';

/** Adds `longhaul schedule …`, which manages syncs and uploads at set times. */
export function addScheduleCommands(program: Command, runs: Runs): void {
  const load = () => import('./run.ts');
  const schedule = program
    .command('schedule')
    .description('manage schedules that run a sync or an upload at set times');

  addScheduleOptions(
    schedule
      .command('create <name> [work...]')
      .usage('<name> --cron <expression>|--every <duration> [options] -- sync|upload <source> --purpose <purpose> …')
      .description('create a schedule that runs the sync or upload command after "--"'),
  )
    .option('--paused', 'create the schedule paused')
    .action(runs(async () => (await load()).createSchedule));

  addScheduleOptions(
    schedule
      .command('update <name> [work...]')
      .usage('<name> [options] [-- sync|upload <source> --purpose <purpose> …]')
      .description('change a schedule (--cron and --every replace all times)'),
  ).action(runs(async () => (await load()).updateSchedule));

  schedule
    .command('list')
    .description('list schedules')
    .action(runs(async () => (await load()).listSchedules));

  schedule
    .command('show <name>')
    .description('show a schedule, its next times and the results of its last runs')
    .action(runs(async () => (await load()).showSchedule));

  schedule
    .command('check [names...]')
    .description('check the last runs of schedules (default: all), and exit with 1 if one is bad')
    .addHelpText('after', '\nA run is bad if it failed, completed with problems, waits for an operator or is overdue.')
    .option('--grace <duration>', 'maximum delay of a run (default: 10m)')
    .action(runs(async () => (await load()).checkSchedules));

  schedule
    .command('pause <name>')
    .description('pause a schedule (a current run continues)')
    .option('--note <text>', 'note for operators')
    .action(runs(async () => (await load()).pauseSchedule));

  schedule
    .command('resume <name>')
    .description('resume a paused schedule')
    .option('--note <text>', 'note for operators')
    .action(runs(async () => (await load()).resumeSchedule));

  schedule
    .command('trigger <name>')
    .description('start a run now, and print its workflow ID')
    .action(runs(async () => (await load()).triggerSchedule));

  schedule
    .command('backfill <name>')
    .description('start the runs that were due in a past period')
    .requiredOption('--from <time>', 'first time of the period, such as 2026-12-01T00:00:00Z')
    .option('--to <time>', 'last time of the period (default: now)')
    .option('--overlap <policy>', 'policy for overlapping runs, as of create (default: buffer-all)')
    .action(runs(async () => (await load()).backfillSchedule));

  schedule
    .command('delete <name>')
    .description('delete a schedule (a current run continues)')
    .option('--yes', 'skip the prompt')
    .action(runs(async () => (await load()).deleteSchedule));

  for (const command of schedule.commands) command.option('--json', 'print one JSON object');
}
