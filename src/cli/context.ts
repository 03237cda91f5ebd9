import { once } from 'node:events';
import type { Config } from '../config/config.ts';
import { printable, printableJson } from '../core/text/printable.ts';
import { redact } from '../redact.ts';
import { Interrupted } from './errors.ts';
import { terminalWidth, wrapText } from './text/wrap-text.ts';

/** The process of a command, as the command uses it. */
export interface Io {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** Aborted with `Interrupted` at the first Ctrl-C, or with another cause. The second Ctrl-C exits the process. */
  readonly signal: AbortSignal;
  /**
   * Interrupts the command, for a terminal that reads keys and reports Ctrl-C as a key.
   *
   * @param cause the reason for which the command fails, if it is not Ctrl-C
   */
  readonly interrupt: (cause?: Error) => void;
  /** Called before a command starts its work. Until then, an interruption exits the process immediately. */
  readonly begin: () => void;
  /** Extends the time that the command has to stop after an interruption. */
  readonly allowLongerEnd: (extraMs: number) => void;
}

export interface CliContext extends Pick<
  Io,
  'stdin' | 'stdout' | 'stderr' | 'signal' | 'interrupt' | 'allowLongerEnd'
> {
  readonly config: Config;
  /** The variable `TERM`: the kind of the terminal. */
  readonly term?: string | undefined;
  /**
   * Prints one line of the result. Characters that are unsafe in a terminal are replaced, as in `note`.
   *
   * @param line text, or cells for programs to read, which are separated by tabs
   */
  readonly out: (line: string | readonly string[]) => void;
  /** Prints the result as JSON on one line. Characters that are unsafe in a terminal are escaped. */
  readonly json: (value: unknown) => void;
  /** Prints one line to standard error. */
  readonly note: (line: string) => void;
}

/** Returns the action of a command, which loads the code of the command and reads the configuration when it runs. */
export type Runs = <Args extends readonly unknown[]>(
  load: () => Promise<(context: CliContext, ...args: Args) => Promise<void>>,
) => (...args: Args) => Promise<void>;

export function createContext(config: Config, io: Io, json: (value: unknown) => void): CliContext {
  const { stdout, stderr, signal, interrupt, allowLongerEnd } = io;
  return {
    config,
    get term() {
      return io.env['TERM'];
    },
    get stdin() {
      return io.stdin;
    },
    stdout,
    stderr,
    signal,
    interrupt,
    allowLongerEnd,
    out: (line) => {
      const isText = typeof line === 'string';
      const text = isText ? wrapText(printable(line), terminalWidth(stdout)) : line.map(printable).join('\t');
      stdout.write(`${text}\n`);
    },
    json,
    note: (line) => stderr.write(`${wrapText(printable(redact(line)), terminalWidth(stderr))}\n`),
  };
}

export function printJson({ stdout }: Io, value: unknown): void {
  stdout.write(`${printableJson(value)}\n`);
}

/** Resolves when the user interrupts the command. @throws any other cause of the interruption */
export async function interrupted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
  if (!(signal.reason instanceof Interrupted)) throw signal.reason;
}
