import type { Command } from 'commander';
import { Limits } from '../../../contracts/limits.ts';
import type { Runs } from '../../context.ts';
import { limitOrNoneOption, partSizeOption, wholeNumberOption } from '../../options/values.ts';
import type { SteerVerb } from './run.ts';

/** Adds the commands that control running uploads and syncs, by IDs or by a list filter. */
export function addSteerCommands(program: Command, runs: Runs): void {
  const add = (verb: SteerVerb, description: string) =>
    program
      .command(`${verb} [ids...]`)
      .description(description)
      .option('--query <query>', `filter of running uploads and syncs, such as 'LonghaulState = "waiting"'`)
      .option('--yes', 'skip the prompt')
      .option('--json', 'print one JSON object')
      .action(runs(async () => (await import('./run.ts')).steerCommand(verb)));
  add('cancel', 'cancel uploads and their sessions, or syncs with all their uploads');
  add('pause', 'pause uploads or syncs, and return when no part is in flight').option(
    '--stop',
    'abort the parts in flight (default: wait for them)',
  );
  add('resume', 'resume paused uploads or syncs');
  add('retry', 'retry waiting uploads or syncs now');
  add('retune', 'change settings of running uploads')
    .option('--concurrency <n>', 'maximum parts in flight', wholeNumberOption(1, Limits.maxConcurrency))
    .option('--limit <rate>', 'maximum rate, such as 50MiB/s, or none', limitOrNoneOption)
    .option('--part-size <bytes>', 'size of the parts of the next session', partSizeOption)
    .option('--ignore-inode', 'accept another inode of the file, as after a remount');
}
