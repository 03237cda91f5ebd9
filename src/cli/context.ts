import type { Config } from '../config/config.ts';
import { printable, printableJson } from '../core/text/printable.ts';
import { redact } from '../redact.ts';
import { terminalWidth, wrapText } from './text/wrap-text.ts';

/** What a command gets from the process that it runs in. */
export interface Io {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** Aborted with `Interrupted` at the first Ctrl-C; the second one ends the process. */
  readonly signal: AbortSignal;
  /** Does what Ctrl-C does: a terminal that reads a line or single keys reports it as a key. */
  readonly interrupt: () => void;
  /** Called before a command works. Until then, an interruption ends the process at once. */
  readonly begin: () => void;
  /** Lets the command take so much more than the usual time to end after an interruption. */
  readonly allowLongerEnd: (extraMs: number) => void;
}

/** What every command gets. */
export interface CliContext extends Pick<
  Io,
  'stdin' | 'stdout' | 'stderr' | 'signal' | 'interrupt' | 'allowLongerEnd'
> {
  readonly config: Config;
  /**
   * Prints one line of the result. Characters that are unsafe in a terminal are replaced, as in `note`.
   *
   * @param line text, or cells for programs to read, which are separated by tabs
   */
  readonly out: (line: string | readonly string[]) => void;
  /** Prints the result as JSON on one line. Characters that are unsafe in a terminal are escaped. */
  readonly json: (value: unknown) => void;
  /** Prints one line of everything else. */
  readonly note: (line: string) => void;
}

export function createContext(config: Config, io: Io, json: (value: unknown) => void): CliContext {
  const { stdout, stderr, signal, interrupt, allowLongerEnd } = io;
  return {
    config,
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

/** Prints JSON on one line. */
export function printJson({ stdout }: Io, value: unknown): void {
  stdout.write(`${printableJson(value)}\n`);
}

/** Resolves when the command is interrupted. */
export function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
