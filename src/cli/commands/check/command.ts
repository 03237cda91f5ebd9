import { Option, type Command } from 'commander';
import { ContentChecks } from '../../../contracts/content.ts';
import { splitSizeOption } from '../../options/values.ts';
import type { Runs } from '../../context.ts';

export function addCheckCommand(program: Command, runs: Runs): void {
  program
    .command('check <files...>')
    .description('check the content of files, folders, quoted globs and URLs, without an upload')
    .option('--purpose <purpose>', 'purpose of the Files, whose limits and check apply (default: none)')
    .option('--destination <name>', 'destination of the config file, whose limits apply (default: default)')
    .addOption(
      new Option('--check <check>', 'content check (auto: by the purpose, or jsonl)')
        .choices(ContentChecks.filter((check) => check !== 'off'))
        .default('auto'),
    )
    .option('--connection <name>', "S3 connection of the config file, for s3:// (default: AWS's environment)")
    .option('--split', 'check the pieces of a split upload')
    .option('--split-size <bytes>', 'maximum size of each piece (default: that of the purpose)', splitSizeOption)
    .option('--json', 'print one JSON object per file')
    .addHelpText(
      'after',
      '\nThe exit status is 1 if a file has a problem. Line numbers and reasons are printed, no content.',
    )
    .action(runs(async () => (await import('./run.ts')).checkCommand));
}
