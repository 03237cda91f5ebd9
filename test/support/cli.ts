import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Interrupted } from '../../dist/src/cli/errors.js';
import { CliRun as Command } from '../../dist/src/cli/run.js';
import { installQuietRuntime } from './quiet-runtime.ts';
import { LIGHTER_CLI } from './temporal-cli.ts';
import { until } from './until.ts';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/**
 * Options of Node.js for processes that end soon: V8 optimizes only what runs for long, and collects no garbage while the
 * code is loaded. This saves 0.25 s of CPU time of each command.
 */
export const shortLived: readonly string[] = [
  '--interrupt-budget=1000000',
  '--initial-old-space-size=512',
  '--wasm-tiering-budget=1000000000',
];

/** The line of a worker that polls. */
const WORKER_RUNS = /^worker on /m;

export interface CliRun {
  readonly child: ChildProcess;
  /** Its standard error so far. */
  readonly said: () => string;
  readonly ended: Promise<CliOutcome>;
}

export interface CliOutcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment of a user who has set nothing but `changes`. */
export function cleanEnvironment(changes: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const ours = /^(TEMPORAL|OPENAI|AZURE_OPENAI|LONGHAUL|VITEST|NODE_OPTIONS)/;
  const others = Object.entries(process.env).filter(([name]) => !ours.test(name));
  // No server outlives its test. Workers start threads only where those of the tests do (see vitest.config.ts).
  const ofTests = {
    LONGHAUL_LINGER: '0',
    LONGHAUL_TEMPORAL_CLI: process.env[LIGHTER_CLI],
    TEMPORAL_DEBUG: process.env['TEMPORAL_DEBUG'],
  };
  return { ...Object.fromEntries(others), ...ofTests, ...changes };
}

const running = new Set<ChildProcess>();
const begun = new Set<InProcessCli>();

/** Stops processes of a failed test. */
export async function endCliProcesses(): Promise<void> {
  for (const child of running) {
    try {
      // A script with the programs that it started.
      process.kill(child.spawnfile === 'bash' ? -(child.pid as number) : (child.pid as number), 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
  for (const { interrupt } of begun) interrupt();
  await Promise.all([...begun].map(({ ended }) => ended));
}

/** Starts the built command in a separate process. @param user another user than that of the tests, for root */
export function startCli(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  stdin: 'ignore' | 'pipe' = 'ignore',
  user?: { readonly uid: number; readonly gid: number },
): CliRun {
  const options = { env: cleanEnvironment(environment), stdio: [stdin, 'pipe', 'pipe'] as StdioOptions, ...user };
  return follow(spawn(process.execPath, [...shortLived, main, ...args], options));
}

/** Starts `longhaul worker` in a separate process, and waits until it polls. */
export async function startWorkerProcess(
  environment: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<CliRun> {
  const run = startCli(['worker', ...args], environment);
  await until(() => {
    if (run.child.exitCode !== null) throw new Error(`the worker ended: ${run.said()}`);
    return WORKER_RUNS.test(run.said());
  }, 'the worker to start');
  return run;
}

/** Runs a bash script in which `longhaul` is the built command line; start it with `exec` to send it signals. */
export function startScript(script: string, environment: Readonly<Record<string, string>>, cwd: string): CliRun {
  const command = script.replaceAll('longhaul', `'${process.execPath}' ${shortLived.join(' ')} '${main}'`);
  return follow(
    // Its input is a socket, so bash would read the startup file of the user, as for a remote shell.
    spawn('bash', ['--norc', '-c', command], {
      env: cleanEnvironment(environment),
      cwd,
      stdio: 'pipe',
      detached: true,
    }),
  );
}

function follow(child: ChildProcess): CliRun {
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code, signal]) => {
    running.delete(child);
    return { code: code as number | null, signal: signal as NodeJS.Signals | null, stdout, stderr };
  });
  return { child, said: () => stderr, ended };
}

/** Runs the built command in a separate process until it exits. */
export function runCliProcess(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<CliOutcome> {
  return startCli(args, environment).ended;
}

/** A command that runs in the process of the tests. */
export interface InProcessCli {
  readonly stdin: PassThrough;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Does what the signal would do. */
  readonly interrupt: (signal?: NodeJS.Signals) => void;
  readonly ended: Promise<CliOutcome>;
}

/**
 * Starts the built command line in this process, which saves the second of CPU time that a process takes to load
 * Temporal's SDK. Tests of kills, of pipes, and of variables that libraries read use `startCli`.
 *
 * @param terminal size of a terminal that is its standard input, output and error output. @defaultValue pipes
 */
export function beginCli(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  terminal?: { readonly columns: number; readonly rows: number },
): InProcessCli {
  installQuietRuntime();
  const interruption = new AbortController();
  const interrupt = (signal: NodeJS.Signals = 'SIGINT') => interruption.abort(new Interrupted(signal));
  const stdin = Object.assign(new PassThrough(), { isTTY: terminal !== undefined, setRawMode: () => {} });
  const stdout = new Captured(terminal);
  const stderr = terminal ? stdout : new Captured();
  const command = new Command(args, {
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    env: cleanEnvironment(environment),
    signal: interruption.signal,
    interrupt: (cause = new Interrupted('SIGINT')) => interruption.abort(cause),
    begin: () => {},
    allowLongerEnd: () => {},
  });
  const ended = command
    .run()
    .then((code) => ({ code, signal: null, stdout: stdout.text, stderr: stderr.text }))
    .finally(() => {
      stdin.destroy();
      begun.delete(run);
    });
  const run: InProcessCli = { stdin, stdout: () => stdout.text, stderr: () => stderr.text, interrupt, ended };
  begun.add(run);
  return run;
}

/** Starts `longhaul worker` in this process, and waits until it polls. */
export async function beginWorker(
  environment: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<InProcessCli> {
  const run = beginCli(['worker', ...args], environment);
  const ended = run.ended.then(({ stderr }) => Promise.reject(new Error(`the worker ended: ${stderr}`)));
  await Promise.race([ended, until(() => WORKER_RUNS.test(run.stderr()), 'the worker to start')]);
  ended.catch(() => {});
  return run;
}

/** Runs the built command line in this process, with an empty standard input. See `beginCli`. */
export function runCli(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<CliOutcome> {
  const command = beginCli(args, environment);
  command.stdin.end();
  return command.ended;
}

class Captured extends Writable {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  readonly rows: number | undefined;
  text = '';

  constructor(terminal?: { readonly columns: number; readonly rows: number }) {
    super();
    this.isTTY = terminal !== undefined;
    this.columns = terminal?.columns;
    this.rows = terminal?.rows;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
