import type { Command } from 'commander';
import { Limits } from '../../../contracts/limits.ts';
import type { CliContext } from '../../context.ts';
import { limitOrNoneOption, partSizeOption, wholeNumberOption } from '../../options.ts';

/** The commands that steer what runs: by ids, or all that a list query finds. */
export function addSteerCommands(program: Command, context: () => Promise<CliContext>): void {
  add(program, 'cancel', 'end uploads and their sessions at the service, or syncs with all their uploads').action(
    async (ids: string[], options) => (await import('./run.ts')).cancelCommand(await context(), ids, options),
  );

  add(program, 'pause', 'hold uploads (returns when no part is in flight) or syncs (no further upload begins)')
    .option('--stop', 'break off the parts in flight (default: let them finish)')
    .action(async (ids: string[], options) => (await import('./run.ts')).pauseCommand(await context(), ids, options));

  add(program, 'resume', 'let paused uploads or syncs go on').action(async (ids: string[], options) =>
    (await import('./run.ts')).resumeCommand(await context(), ids, options),
  );

  add(program, 'retry', 'let waiting uploads or syncs try at once whether they may go on').action(
    async (ids: string[], options) => (await import('./run.ts')).retryCommand(await context(), ids, options),
  );

  add(program, 'retune', 'change running uploads')
    .option('--concurrency <n>', 'most parts in flight', wholeNumberOption(1, Limits.maxConcurrency))
    .option('--limit <rate>', 'most bytes a second, such as 50MiB/s, or none', limitOrNoneOption)
    .option('--part-size <bytes>', 'of the next session, should there be one', partSizeOption)
    .option('--ignore-inode', 'continue if the inode of the file changed, as after a remount')
    .action(async (ids: string[], options) => (await import('./run.ts')).retuneCommand(await context(), ids, options));
}

function add(program: Command, name: string, description: string): Command {
  return program
    .command(`${name} [ids...]`)
    .description(description)
    .option('--query <query>', `all that run and match, such as 'LonghaulState = "waiting"'`)
    .option('--yes', "don't ask before")
    .option('--json', 'print one JSON object');
}
