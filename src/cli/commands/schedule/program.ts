import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { addScheduleOptions } from './options.ts';

/** `longhaul schedule …`: syncs at set times. */
export function addScheduleCommands(program: Command, context: () => Promise<CliContext>): void {
  const load = () => import('./run.ts');
  const schedule = program
    .command('schedule')
    .description('run a sync or an upload at set times, every night for instance');

  addScheduleOptions(
    schedule
      .command('create <name> <work...>')
      .usage('<name> --cron <expression>|--every <duration> [options] -- sync|upload <source> --purpose <purpose> …')
      .description('create a schedule; after "--" is what "longhaul sync" or "longhaul upload" would be given'),
  )
    .option('--paused', 'nothing runs until it is resumed')
    .option('--json', 'print one JSON object')
    .action(async (name: string, words: string[], options) =>
      (await load()).createScheduleCommand(await context(), name, words, options),
    );

  addScheduleOptions(
    schedule
      .command('update <name> [work...]')
      .usage('<name> [options] [-- sync|upload <source> --purpose <purpose> …]')
      .description('change a schedule; what is not given stays (--cron and --every replace all times)'),
  )
    .option('--json', 'print one JSON object')
    .action(async (name: string, words: string[], options) =>
      (await load()).updateScheduleCommand(await context(), name, words, options),
    );

  schedule
    .command('list')
    .description('list schedules')
    .option('--json', 'print one JSON object')
    .action(async (options) => (await load()).listSchedulesCommand(await context(), options));

  schedule
    .command('show <name>')
    .description('show a schedule, its next times and what became of its last runs')
    .option('--json', 'print one JSON object')
    .action(async (name: string, options) => (await load()).showScheduleCommand(await context(), name, options));

  schedule
    .command('check [names...]')
    .description(
      'exit with 1 when the last run failed or had problems, or one waits or is overdue (default: of any schedule)',
    )
    .option('--grace <duration>', 'how late a run may be (default: 10m)')
    .option('--json', 'print one JSON object')
    .action(async (names: string[], options) => (await load()).checkSchedulesCommand(await context(), names, options));

  schedule
    .command('pause <name>')
    .description('start no run until it is resumed; a run that is under way goes on')
    .option('--note <text>', 'for people')
    .option('--json', 'print one JSON object')
    .action(async (name: string, options) => (await load()).pauseScheduleCommand(await context(), name, options));

  schedule
    .command('resume <name>')
    .description('let a paused schedule go on')
    .option('--note <text>', 'for people')
    .option('--json', 'print one JSON object')
    .action(async (name: string, options) => (await load()).resumeScheduleCommand(await context(), name, options));

  schedule
    .command('trigger <name>')
    .description("start a run now; prints its workflow's id")
    .option('--json', 'print one JSON object')
    .action(async (name: string, options) => (await load()).triggerScheduleCommand(await context(), name, options));

  schedule
    .command('backfill <name>')
    .description('start the runs that were due in a span of the past')
    .requiredOption('--from <time>', 'such as 2026-12-01T00:00:00Z')
    .option('--to <time>', '(default: now)')
    .option('--overlap <policy>', 'as of create (default: buffer-all, one after the other)')
    .option('--json', 'print one JSON object')
    .action(async (name: string, options) => (await load()).backfillScheduleCommand(await context(), name, options));

  schedule
    .command('delete <name>')
    .description('delete a schedule; a run that is under way goes on')
    .option('--yes', "don't ask")
    .option('--json', 'print one JSON object')
    .action(async (name: string, options) => (await load()).deleteScheduleCommand(await context(), name, options));

  for (const command of schedule.commands) command.copyInheritedSettings(program);
}
