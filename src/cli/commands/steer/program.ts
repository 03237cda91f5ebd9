import type { Command } from 'commander';
import { Limits } from '../../../contracts/limits.ts';
import type { CliContext } from '../../context.ts';
import { limitOrNoneOption, partSizeOption, wholeNumberOption } from '../../options/values.ts';

/** Adds the commands that control running uploads and syncs, by IDs or by a list filter. */
export function addSteerCommands(program: Command, context: () => Promise<CliContext>): void {
  add(program, 'cancel', 'cancel uploads and their sessions, or syncs with all their uploads').action(
    async (ids: string[], options) => (await import('./run.ts')).cancelCommand(await context(), ids, options),
  );

  add(program, 'pause', 'pause uploads or syncs, and return when no part is in flight')
    .option('--stop', 'abort the parts in flight (default: wait for them)')
    .action(async (ids: string[], options) => (await import('./run.ts')).pauseCommand(await context(), ids, options));

  add(program, 'resume', 'resume paused uploads or syncs').action(async (ids: string[], options) =>
    (await import('./run.ts')).resumeCommand(await context(), ids, options),
  );

  add(program, 'retry', 'retry waiting uploads or syncs now').action(async (ids: string[], options) =>
    (await import('./run.ts')).retryCommand(await context(), ids, options),
  );

  add(program, 'retune', 'change settings of running uploads')
    .option('--concurrency <n>', 'maximum parts in flight', wholeNumberOption(1, Limits.maxConcurrency))
    .option('--limit <rate>', 'maximum rate, such as 50MiB/s, or none', limitOrNoneOption)
    .option('--part-size <bytes>', 'size of the parts of the next session', partSizeOption)
    .option('--ignore-inode', 'accept another inode of the file, as after a remount')
    .action(async (ids: string[], options) => (await import('./run.ts')).retuneCommand(await context(), ids, options));
}

function add(program: Command, name: string, description: string): Command {
  return program
    .command(`${name} [ids...]`)
    .description(description)
    .option('--query <query>', `filter of running uploads and syncs, such as 'LonghaulState = "waiting"'`)
    .option('--yes', 'skip the prompt')
    .option('--json', 'print one JSON object');
}
