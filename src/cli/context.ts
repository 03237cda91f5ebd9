import type { Config } from '../config.ts';
import { printable, printableJson } from '../core/printable.ts';
import { redact } from '../redact.ts';
import { ExitCode, Interrupted } from './exit.ts';

/** A command that was interrupted hands its work back; whatever keeps it longer must not keep the person. */
const USUAL_END_MS = 20_000;

/** What every command gets. */
export interface CliContext {
  readonly config: Config;
  /** Aborted with `Interrupted` at the first Ctrl-C; the second one ends the process. */
  readonly signal: AbortSignal;
  /** Lets this command take so much more than the usual time to end after an interruption. */
  readonly allowLongerEnd: (extraMs: number) => void;
  /**
   * Prints one line of the result. Characters that are unsafe in a terminal are replaced, as in `note`.
   *
   * @param line text, or cells for programs to read, which are separated by tabs
   */
  readonly out: (line: string | readonly string[]) => void;
  /** Prints the result as JSON. Characters that are unsafe in a terminal are escaped. */
  readonly json: (value: unknown) => void;
  /** Prints one line of everything else. */
  readonly note: (line: string) => void;
}

export function createContext(config: Config): CliContext {
  const interruption = new AbortController();
  let longestEndMs = USUAL_END_MS;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (interruption.signal.aborted) process.exit(ExitCode.interrupted);
      interruption.abort(new Interrupted(name));
      setTimeout(() => process.exit(ExitCode.interrupted), longestEndMs).unref();
    });
  }
  return {
    config,
    signal: interruption.signal,
    allowLongerEnd: (extraMs) => {
      longestEndMs = USUAL_END_MS + extraMs;
    },
    out: (line) => process.stdout.write(`${[line].flat().map(printable).join('\t')}\n`),
    json: (value) => process.stdout.write(`${printableJson(value)}\n`),
    note: (line) => process.stderr.write(`${printable(redact(line))}\n`),
  };
}

/** Resolves when the command is interrupted. */
export function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
