import { InvalidArgumentError, Option, type Command } from 'commander';
import { Limits } from '../contracts/limits.ts';
import type { ListedState } from '../client/list-uploads.ts';
import { printable } from '../core/text/printable.ts';
import { LonghaulCommand } from './command.ts';
import type { CliContext, Io } from './context.ts';
import { longhaulVersion } from '../longhaul-version.ts';
import { bytesOption, limitOption, repeatedOption, wholeNumberOption } from './options.ts';
import { addPermissionOptions } from './permission-options.ts';
import { addScheduleCommands } from './commands/schedule/program.ts';
import { addSteerCommands } from './commands/steer/program.ts';
import { addSyncOptions } from './commands/sync/options.ts';
import { terminalWidth, wrapText } from './text/wrap-text.ts';
import { addUploadOptions } from './commands/upload/options.ts';

export type MakeContext = () => Promise<CliContext>;

const LISTED_STATES: readonly ListedState[] = [
  'running',
  'listing',
  'inspecting',
  'creating',
  'uploading',
  'paused',
  'waiting',
  'completing',
  'deleting',
  'completed',
  'failed',
  'cancelled',
];

/**
 * Commands are loaded when they run: Temporal's SDK takes half a second, which help and usage errors need not wait for.
 *
 * @param context made when a command runs, so that help and usage errors need no configuration
 */
export function createProgram({ stdout, stderr }: Pick<Io, 'stdout' | 'stderr'>, context: MakeContext): Command {
  const program = new LonghaulCommand('longhaul')
    .description('Uploads files of many gigabytes to the OpenAI Uploads API, and never starts over.')
    .version(longhaulVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(wrapText(text, terminalWidth(stdout))),
      writeErr: (text) => stderr.write(wrapText(text, terminalWidth(stderr))),
      outputError: (text, write) => write(`${oneLine(text)}\n`),
    });
  const partCount = wholeNumberOption(1, Limits.maxConcurrency);
  const port = wholeNumberOption(0, 65_535);

  addUploadOptions(
    program
      .command('upload <files...>')
      .description(
        'upload files, pipes, directories, quoted globs, s3:// or https:// URLs, or "-" for standard input; after a crash the same command goes on from the recorded parts',
      ),
  ).action(async (files: string[], options) =>
    (await import('./commands/upload/run.ts')).uploadCommand(await context(), files, options),
  );

  addSyncOptions(
    program
      .command('sync <source>')
      .description('upload what is new and changed in a folder; the same command goes on after a crash'),
  )
    .option('--yes', 'delete without asking')
    .option('--id <id>', 'workflow id (default: derived from source, purpose, destination and prefix)')
    .option('--root <dir>', 'directory outside the folder that its links can lead to (repeatable)', repeatedOption)
    .option('--detach', 'start it and leave it to workers that run elsewhere')
    .option('--json', 'print one JSON object, also if the command fails')
    .option('--quiet', 'no progress; only what it waits for, and errors')
    .action(async (source: string, options) =>
      (await import('./commands/sync/run.ts')).syncCommand(await context(), source, options),
    );

  program
    .command('status <ids...>')
    .description('show the progress of uploads and syncs, or how they ended')
    .option('--watch', 'follow one until it has ended; the exit status is 0 if it is completed')
    .option('--json', 'print one JSON object per ID, with --watch one per change')
    .action(async (ids: string[], options) =>
      (await import('./commands/status/run.ts')).statusCommand(await context(), ids, options),
    );

  program
    .command('list')
    .description('list uploads and syncs, newest first')
    .addOption(new Option('--state <state>', 'only those in this state').choices(LISTED_STATES))
    .option('--running', 'only those that have not ended')
    .option('--limit <n>', 'only the newest so many', wholeNumberOption(1, 1_000_000))
    .option('--json', 'print one JSON object')
    .action(async (options) => (await import('./commands/list.ts')).listCommand(await context(), options));

  program
    .command('top')
    .description('show all running uploads and syncs, with rate and time left, until q is pressed')
    .addOption(new Option('--sort <by>', 'what comes first').choices(['start', 'state']).default('start'))
    .option('--once', 'print the table once (so it does without a terminal)')
    .option('--json', 'print one JSON object, once')
    .action(async (options) => (await import('./commands/top/run.ts')).topCommand(await context(), options));

  program
    .command('doctor [source]')
    .description('check the setup, and access to a source, and suggest fixes')
    .option('--destination <name>', 'whose task queue is looked at on the embedded server (default: default)')
    .option('--connection <name>', 'of an s3:// source: a connection of the config file')
    .option('--json', 'print one JSON object')
    .action(async (source: string | undefined, options) =>
      (await import('./commands/doctor/run.ts')).doctorCommand(await context(), source, options),
    );

  addSteerCommands(program, context);
  addScheduleCommands(program, context);

  addPermissionOptions(
    program
      .command('worker')
      .description('serve uploads until it is told to stop; it reads only what these options permit'),
  )
    .option(
      '--slots <n>',
      'parts sent at a time (default: LONGHAUL_TRANSFER_SLOTS, else what the destination takes best)',
      partCount,
    )
    .option(
      '--limit <rate>',
      'most bytes a second of all parts, such as 50MiB/s (default: LONGHAUL_LIMIT, else none)',
      limitOption,
    )
    .option('--roles <roles>', 'control, transfer or both (default: control,transfer)', rolesOption)
    .option(
      '--grace <seconds>',
      'when told to stop, let parts in flight end for so long before they are handed back (default: 0)',
      wholeNumberOption(0, 86_400),
    )
    .option('--deployment <name>', 'deployment that this worker is a version of (default: LONGHAUL_DEPLOYMENT_NAME)')
    .option('--build-id <id>', 'version of this worker (default: LONGHAUL_BUILD_ID)')
    .option(
      '--metrics-port <n>',
      'serve /metrics, /healthz and /readyz there; 0: picked by the system (default: LONGHAUL_METRICS_PORT or not at all)',
      port,
    )
    .option('--metrics-host <address>', 'address to serve them on (default: LONGHAUL_METRICS_HOST or 127.0.0.1)')
    .action(async (options) => (await import('./commands/worker.ts')).workerCommand(await context(), options));

  program
    .command('setup')
    .description('register the search attributes by which Temporal UI and lists show uploads; may be repeated')
    .option('--json', 'print one JSON object')
    .action(async (options) => (await import('./commands/setup.ts')).setupCommand(await context(), options));

  addPermissionOptions(
    program.command('dev').description('run Temporal, a local Uploads API and a worker for development'),
  )
    .option('--port <n>', "the local API's port (default: picked by the system)", port, 0)
    .option('--data <dir>', "where the local API keeps files (default: the state directory's local-api)")
    .action(async (options) => (await import('./commands/dev.ts')).devCommand(await context(), options));

  program
    .command('local-api')
    .description('run a strict local Uploads API, for development and tests')
    .option('--port <n>', 'default: picked by the system', port, 0)
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--data <dir>', 'where it keeps files (default: a temporary directory)')
    .option('--allow-host <name>', 'additional host name in requests (repeatable)', repeatedOption)
    .option('--key <key>', 'the only key it takes (default: LONGHAUL_LOCAL_API_KEY, else any)')
    .option('--bandwidth <bytes>', 'bytes a second that it takes in, such as 50MiB', bytesOption)
    .option('--latency <ms>', 'delay before each answer', wholeNumberOption(0, 600_000))
    .option('--session-life <seconds>', 'when Uploads expire (default: 3600)', wholeNumberOption(1, 1_000_000))
    .option('--strict-sums', 'count parts that were sent twice, as the strictest servers do')
    .action(async (options) => (await import('./commands/local-api.ts')).localApiCommand(await context(), options));

  program
    .command('demo [file]')
    .description('upload with everything embedded, kill the worker half-way, go on, compare')
    .addOption(
      new Option('--size <bytes>', 'of the file it makes').default(512 * 1024 ** 2, '512MiB').argParser(bytesOption),
    )
    .action(async (file: string | undefined, options) =>
      (await import('./commands/demo.ts')).demoCommand(await context(), file, options),
    );

  // Subcommands are made before the settings above reach them.
  for (const command of program.commands) command.copyInheritedSettings(program);
  return program;
}

function oneLine(text: string): string {
  return printable(
    text
      .trim()
      .replace(/^error: /, 'longhaul: ')
      .replace(/\s*\n\s*/g, ' '),
  );
}

function rolesOption(text: string): ('control' | 'transfer')[] {
  return text.split(',').map((role) => {
    if (role === 'control' || role === 'transfer') return role;
    throw new InvalidArgumentError('Roles are control and transfer.');
  });
}
