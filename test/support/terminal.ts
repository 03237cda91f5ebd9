import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { beginCli, cleanEnvironment } from './cli.ts';
import { until } from './until.ts';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface TerminalRun {
  /** All that was written to the terminal so far, escape sequences included. */
  readonly screen: () => string;
  readonly shows: (text: string | RegExp) => Promise<void>;
  readonly press: (keys: string) => void;
  /** The exit status. */
  readonly ended: Promise<number | null>;
}

/** Runs the built command line in this process, with a terminal of 30 rows that only its streams imitate. */
export async function withTerminal(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  use: (terminal: TerminalRun) => Promise<void>,
  columns = 100,
): Promise<void> {
  const { stdin, stdout, interrupt, ended } = beginCli(args, environment, { columns, rows: 30 });
  const code = ended.then((outcome) => outcome.code);
  try {
    await use(terminalRun(stdout, (keys) => stdin.write(keys), code));
  } finally {
    interrupt();
    await ended;
  }
}

/** Runs the built command line as a process on a terminal of 30 rows, made by `script` of util-linux. */
export async function withRealTerminal(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  use: (terminal: TerminalRun) => Promise<void>,
  columns = 100,
): Promise<void> {
  const words = [process.execPath, main, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const child = spawn('/usr/bin/env', ['script', '-qefc', `stty cols ${columns} rows 30; exec ${words}`, '/dev/null'], {
    env: cleanEnvironment({ ...environment, SHELL: '/bin/sh', TERM: 'xterm' }),
    stdio: ['pipe', 'pipe', 'inherit'],
    // So that whatever a failed test has left ends with it.
    detached: true,
  });
  let screen = '';
  child.stdout.on('data', (chunk: Buffer) => (screen += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  try {
    await use(
      terminalRun(
        () => screen,
        (keys) => child.stdin.write(keys),
        ended,
      ),
    );
  } finally {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await ended;
  }
}

function terminalRun(screen: () => string, press: (keys: string) => void, ended: Promise<number | null>): TerminalRun {
  let hasEnded = false;
  void ended.then(() => (hasEnded = true));
  const shows = async (text: string | RegExp) => {
    const isShown = () => (typeof text === 'string' ? screen().includes(text) : text.test(screen()));
    await until(() => isShown() || hasEnded, `"${text}" on the terminal`);
    if (!isShown()) throw new Error(`"${text}" never was on the terminal, only ${JSON.stringify(screen())}`);
  };
  return { screen, shows, press, ended };
}
