import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { CliRun as Command } from '../../dist/src/cli/run.js';
import { installQuietRuntime } from './quiet-runtime.ts';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface CliRun {
  readonly child: ChildProcess;
  /** What it has said on standard error so far. */
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
  const ours = /^(TEMPORAL|OPENAI|LONGHAUL|VITEST|NODE_OPTIONS)/;
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name))), ...changes };
}

const running = new Set<ChildProcess>();

/** Ends whatever a test that failed half-way has left. */
export function endCliProcesses(): void {
  for (const child of running) {
    try {
      // A script with the programs that it started.
      process.kill(child.spawnfile === 'bash' ? -(child.pid as number) : (child.pid as number), 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
}

/** Starts the built command line as a process of its own. @param user another one than that of the tests, for root */
export function startCli(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  stdin: 'ignore' | 'pipe' = 'ignore',
  user?: { readonly uid: number; readonly gid: number },
): CliRun {
  const options = { env: cleanEnvironment(environment), stdio: [stdin, 'pipe', 'pipe'] as StdioOptions, ...user };
  return follow(spawn(process.execPath, [main, ...args], options));
}

/** Runs a bash script in which `longhaul` is the built command line; start it with `exec` to send it signals. */
export function startScript(script: string, environment: Readonly<Record<string, string>>, cwd: string): CliRun {
  const command = script.replaceAll('longhaul', `'${process.execPath}' '${main}'`);
  return follow(
    spawn('bash', ['-c', command], { env: cleanEnvironment(environment), cwd, stdio: 'pipe', detached: true }),
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

/** Runs the built command line to its end in a process of its own. */
export function runCliProcess(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<CliOutcome> {
  return startCli(args, environment).ended;
}

/**
 * Runs the built command line in this process, which saves the second of CPU time that it takes to load Temporal's SDK
 * and to start a thread for workflows. What needs a process of its own (signals, standard input, variables that libraries
 * read) takes `runCliProcess` or `startCli`.
 */
export async function runCli(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<CliOutcome> {
  installQuietRuntime();
  const stdout = new Captured();
  const stderr = new Captured();
  const command = new Command(args, {
    stdin: Object.assign(Readable.from([]), { isTTY: false }) as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    env: cleanEnvironment(environment),
    signal: new AbortController().signal,
    interrupt: () => {},
    begin: () => {},
    allowLongerEnd: () => {},
  });
  const code = await command.run();
  return { code, signal: null, stdout: stdout.text, stderr: stderr.text };
}

class Captured extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
