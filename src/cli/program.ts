import { InvalidArgumentError, Option, type Command } from 'commander';
import { Limits } from '../contracts/limits.ts';
import type { ListedState } from '../client/lists/list-uploads.ts';
import { printable } from '../core/text/printable.ts';
import { LonghaulCommand } from './command.ts';
import type { CliContext, Io, Runs } from './context.ts';
import { longhaulVersion } from '../longhaul-version.ts';
import { bandwidthOption, bytesOption, limitOption, repeatedOption, wholeNumberOption } from './options/values.ts';
import { addPermissionOptions } from './options/permission-options.ts';
import { addCheckCommand } from './commands/check/command.ts';
import { addScheduleCommands } from './commands/schedule/command.ts';
import { addSteerCommands } from './commands/steer/command.ts';
import { addSyncOptions } from './commands/sync/options.ts';
import { terminalWidth, wrapText } from './text/wrap-text.ts';
import { addUploadOptions } from './commands/upload/options.ts';

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
 * Returns the command line parser. The code of a command is loaded when it runs, because Temporal's SDK takes half a
 * second to load, which help and usage errors do not need.
 *
 * @param context created when a command runs, so that help and usage errors need no configuration
 */
export function createProgram(
  { stdout, stderr }: Pick<Io, 'stdout' | 'stderr'>,
  context: () => Promise<CliContext>,
): Command {
  const runs: Runs =
    (load) =>
    async (...args) =>
      (await load())(await context(), ...args);
  const program = new LonghaulCommand('longhaul')
    .description('upload multi-gigabyte files to the OpenAI Uploads API, and resume after failures')
    .version(longhaulVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(wrapText(text, terminalWidth(stdout))),
      writeErr: (text) => stderr.write(wrapText(text, terminalWidth(stderr))),
      outputError: (text, write) => write(`${oneLine(text)}\n`),
      getOutHelpWidth: () => terminalWidth(stdout) as number,
      getErrHelpWidth: () => terminalWidth(stderr) as number,
    });
  const partCount = wholeNumberOption(1, Limits.maxConcurrency);
  const port = wholeNumberOption(0, 65_535);

  addUploadOptions(
    program
      .command('upload <files...>')
      .description('upload files, folders, quoted globs, URLs, pipes or standard input ("-")')
      .addHelpText(
        'after',
        '\nURLs are s3://BUCKET/KEY or https://HOST/PATH. If the command is interrupted, run it again to resume.',
      ),
  ).action(runs(async () => (await import('./commands/upload/run.ts')).uploadCommand));

  addSyncOptions(
    program
      .command('sync <source>')
      .description('upload new and changed files of a folder or of s3://BUCKET/PREFIX')
      .addHelpText('after', '\nIf the command is interrupted, run it again to resume.'),
  )
    .option('--yes', 'skip the prompt before files are deleted')
    .option('--id <id>', 'workflow ID (default: from source, purpose, destination and prefix)')
    .option('--root <dir>', 'directory outside the folder that links can lead to (repeatable)', repeatedOption)
    .option('--detach', 'start the sync on other workers, and exit')
    .option('--json', 'print one JSON object, also after a failure')
    .option('--quiet', 'print only waiting reasons and errors, no progress')
    .action(runs(async () => (await import('./commands/sync/run.ts')).syncCommand));

  program
    .command('status <ids...>')
    .description('show the progress or the result of uploads and syncs')
    .option('--watch', 'follow progress, and exit with 0 if it completes')
    .option('--json', 'print one JSON object per ID, with --watch one per change')
    .action(runs(async () => (await import('./commands/status/run.ts')).statusCommand));

  program
    .command('list')
    .description('list uploads and syncs, newest first')
    .addOption(new Option('--state <state>', 'state to list').choices(LISTED_STATES))
    .option('--running', 'list only running uploads and syncs')
    .option('--limit <n>', 'maximum rows, newest first', wholeNumberOption(1, 1_000_000))
    .option('--json', 'print one JSON object')
    .action(runs(async () => (await import('./commands/list.ts')).listCommand));

  program
    .command('top')
    .description('show running uploads and syncs, with rate and time left, until you press q')
    .addOption(new Option('--sort <by>', 'sort order').choices(['start', 'state']).default('start'))
    .option('--once', 'print the table once, as without a terminal')
    .option('--json', 'print one JSON object, once')
    .action(runs(async () => (await import('./commands/top/run.ts')).topCommand));

  program
    .command('doctor [source]')
    .description('check the setup, and access to a source, and suggest fixes')
    .option('--destination <name>', 'destination whose task queue to check on the embedded server (default: default)')
    .option('--connection <name>', 'S3 connection of the config file, for an s3:// source')
    .option('--json', 'print one JSON object')
    .action(runs(async () => (await import('./commands/doctor/run.ts')).doctorCommand));

  program
    .command('verify <receipt>')
    .description('check that a source and its File have the content of a receipt')
    .option('--source <source>', 'current path or URL of the source (default: that of the receipt)')
    .option('--connection <name>', 'S3 connection of the config file, for an s3:// source')
    .option('--destination <name>', 'destination that has the File (default: that of the receipt)')
    .option('--no-file', 'skip the File at the service')
    .option('--json', 'print one JSON object')
    .action(runs(async () => (await import('./commands/verify/run.ts')).verifyCommand));

  addCheckCommand(program, runs);
  addSteerCommands(program, runs);
  addScheduleCommands(program, runs);

  addPermissionOptions(
    program.command('worker').description('run a worker that sends uploads, and reads only permitted sources'),
  )
    .option('--slots <n>', 'maximum parts in flight (default: LONGHAUL_TRANSFER_SLOTS, or automatic)', partCount)
    .option(
      '--limit <rate>',
      'maximum rate of all parts, such as 50MiB/s (default: LONGHAUL_LIMIT, or none)',
      limitOption,
    )
    .option(
      '--roles <roles>',
      'roles of the worker: control, transfer, or both (default: control,transfer)',
      rolesOption,
    )
    .option(
      '--grace <seconds>',
      'seconds to wait for parts in flight at shutdown (default: 0)',
      wholeNumberOption(0, 86_400),
    )
    .option('--nexus', 'run the Nexus service "longhaul" for workflows in other namespaces')
    .option('--deployment <name>', 'deployment name for Worker Versioning (default: LONGHAUL_DEPLOYMENT_NAME)')
    .option('--build-id <id>', 'build ID for Worker Versioning (default: LONGHAUL_BUILD_ID)')
    .option(
      '--metrics-port <n>',
      'port of metrics and health, 0 for any (default: LONGHAUL_METRICS_PORT, or none)',
      port,
    )
    .option('--metrics-host <address>', 'address of metrics and health (default: LONGHAUL_METRICS_HOST, or 127.0.0.1)')
    .action(runs(async () => (await import('./commands/worker.ts')).workerCommand));

  program
    .command('setup')
    .description('register search attributes in Temporal, once for each namespace')
    .option('--json', 'print one JSON object')
    .action(runs(async () => (await import('./commands/setup.ts')).setupCommand));

  addPermissionOptions(
    program.command('dev').description('run Temporal, a local Uploads API and a worker for development'),
  )
    .option('--port <n>', 'port of the local API, 0 for any free port', port, 0)
    .option('--data <dir>', 'directory of the local API (default: local-api in the state directory)')
    .action(runs(async () => (await import('./commands/dev.ts')).devCommand));

  program
    .command('local-api')
    .description('run a strict local Uploads API, for development and tests')
    .option('--port <n>', 'port to listen on, 0 for any free port', port, 0)
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--data <dir>', 'directory for uploaded files (default: a temporary directory)')
    .option('--allow-host <name>', 'additional host name that requests can use (repeatable)', repeatedOption)
    .option('--key <key>', 'key that it accepts (default: LONGHAUL_LOCAL_API_KEY, or any key)')
    .option('--bandwidth <bytes>', 'maximum bytes received per second, such as 50MiB', bandwidthOption)
    .option('--latency <ms>', 'milliseconds of delay before each response', wholeNumberOption(0, 600_000))
    .option(
      '--session-life <seconds>',
      'seconds until an Upload expires (default: 3600)',
      wholeNumberOption(1, 1_000_000),
    )
    .option('--list-lag <ms>', 'milliseconds until a new File appears in the list', wholeNumberOption(0, 3_600_000))
    .option('--strict-sums', 'count the bytes of resent parts, as strict servers do')
    .option('--azure', 'run as Azure OpenAI, with its paths, keys, errors and limits')
    .action(runs(async () => (await import('./commands/local-api.ts')).localApiCommand));

  program
    .command('codec-server')
    .description('run a codec server that decrypts for Temporal UI and the temporal command')
    .option('--port <n>', 'port to listen on, 0 for any free port', port, 8081)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option(
      '--origin <url>',
      'origin of Temporal UI on another machine, such as https://HOST (repeatable)',
      originOption,
    )
    .option('--token-file <path>', 'file with the token (default: LONGHAUL_CODEC_TOKEN_FILE, or a new token)')
    .action(runs(async () => (await import('./commands/codec-server.ts')).codecServerCommand));

  program
    .command('demo [file]')
    .description('run an upload whose worker is killed halfway, and verify the result')
    .addOption(
      new Option('--size <bytes>', 'size of the generated file')
        .default(512 * 1024 ** 2, '512MiB')
        .argParser(bytesOption),
    )
    .action(runs(async () => (await import('./commands/demo.ts')).demoCommand));

  return program;
}

function originOption(text: string, others: readonly string[] = []): readonly string[] {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.origin !== text.replace(/\/$/, '')) {
    throw new InvalidArgumentError('Use https://HOST or http://HOST:PORT, without a path.');
  }
  return [...others, url.origin];
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
    throw new InvalidArgumentError('Use control, transfer, or control,transfer.');
  });
}
