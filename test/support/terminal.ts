import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment } from './cli.ts';
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

/** Runs the built command line on a terminal of 30 rows, made by `script` of util-linux. */
export async function withTerminal(
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
  let hasEnded = false;
  const ended = once(child, 'close').then(([code]) => {
    hasEnded = true;
    return code as number | null;
  });
  const shows = async (text: string | RegExp) => {
    const isShown = () => (typeof text === 'string' ? screen.includes(text) : text.test(screen));
    await until(() => isShown() || hasEnded, `"${text}" on the terminal`);
    if (!isShown()) throw new Error(`"${text}" never was on the terminal, only ${JSON.stringify(screen)}`);
  };
  try {
    await use({ screen: () => screen, shows, press: (keys) => child.stdin.write(keys), ended });
  } finally {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await ended;
  }
}
