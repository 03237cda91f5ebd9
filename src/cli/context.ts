import type { Config } from '../config/config.ts';
import { printable, printableJson } from '../core/text/printable.ts';
import { redact } from '../redact.ts';
import { ExitCode, exitCodeOf, Interrupted } from './exit.ts';
import { jsonErrorOf } from './json-errors.ts';
import { terminalWidth, wrapText } from './text/wrap-text.ts';

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

let isJsonPrinted = false;

/** Prints JSON on one line. Characters that are unsafe in a terminal are escaped. */
function printJson(value: unknown): void {
  isJsonPrinted = true;
  process.stdout.write(`${printableJson(value)}\n`);
}

/** For a command with `--json` that fails: prints the error, if the command has printed nothing. */
export function printJsonError(error: unknown): void {
  if (!isJsonPrinted && exitCodeOf(error) !== ExitCode.done) printJson({ error: jsonErrorOf(error) });
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Ends the process at a signal, until a command has its context.
 *
 * @param end prints what an interrupted command prints
 * @returns a function that ends this
 */
export function endAtSignals(end: (error: Interrupted) => void): () => void {
  const listeners = SIGNALS.map((name) => {
    const listener = () => {
      end(new Interrupted(name));
      process.exit();
    };
    process.on(name, listener);
    return () => process.off(name, listener);
  });
  return () => listeners.forEach((remove) => remove());
}

/** @param end prints what an interrupted command prints that does not end soon */
export function createContext(config: Config, end: (error: Interrupted) => void): CliContext {
  const interruption = new AbortController();
  let longestEndMs = USUAL_END_MS;
  for (const name of SIGNALS) {
    process.on(name, () => {
      const error = new Interrupted(name);
      const exit = () => {
        end(error);
        process.exit();
      };
      if (interruption.signal.aborted) exit();
      interruption.abort(error);
      setTimeout(exit, longestEndMs).unref();
    });
  }
  return {
    config,
    signal: interruption.signal,
    allowLongerEnd: (extraMs) => {
      longestEndMs = USUAL_END_MS + extraMs;
    },
    out: (line) => {
      const isText = typeof line === 'string';
      const text = isText ? wrapText(printable(line), terminalWidth(process.stdout)) : line.map(printable).join('\t');
      process.stdout.write(`${text}\n`);
    },
    json: printJson,
    note: (line) => process.stderr.write(`${wrapText(printable(redact(line)), terminalWidth(process.stderr))}\n`),
  };
}

/** Resolves when the command is interrupted. */
export function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
