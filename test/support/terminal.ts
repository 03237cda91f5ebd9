import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startCli } from './cli.ts';
import { until } from './until.ts';

const onTerminal = ['python3', fileURLToPath(new URL('./terminal.py', import.meta.url))];

/** A command on a terminal, and a person before it. */
export interface TerminalRun {
  /** What the terminal has shown so far, without colours and the like. */
  readonly shown: () => string;
  readonly type: (keys: string) => void;
  /** Waits for the words to be shown. */
  readonly asked: (words: RegExp) => Promise<void>;
  readonly ended: Promise<{ readonly code: number | null }>;
}

/** Why there can be no terminal here; undefined where there can. */
export async function whyNoTerminal(): Promise<string | undefined> {
  return promisify(execFile)('python3', ['-c', 'import os, pty; os.waitstatus_to_exitcode']).then(
    () => undefined,
    () => 'no python3 (3.9 or later) with pty',
  );
}

export function startOnTerminal(args: readonly string[], environment: Readonly<Record<string, string>>): TerminalRun {
  const run = startCli(args, { ...environment, TERM: 'xterm' }, 'pipe', onTerminal);
  let output = '';
  run.child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  // eslint-disable-next-line no-control-regex -- what a terminal is told to do begins with one
  const shown = () => output.replace(/\u001B\[[0-9;?]*[A-Za-z]/g, '').replaceAll('\r', '');
  return {
    shown,
    type: (keys) => run.child.stdin?.write(keys),
    asked: (words) =>
      until(() => {
        if (run.child.exitCode !== null) throw new Error(`it ended without ${words}: ${shown()}`);
        return words.test(shown());
      }, `the terminal to show ${words}`),
    ended: run.ended,
  };
}
