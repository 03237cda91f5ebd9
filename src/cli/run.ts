import { inspect } from 'node:util';
import { printable } from '../core/text/printable.ts';
import { redact } from '../redact.ts';
import { createContext, printJson, type Io } from './context.ts';
import { describeError, ExitCode, exitCodeOf, jsonErrorOf, wantsJson } from './errors.ts';
import { createProgram } from './program.ts';
import { terminalWidth, wrapText } from './text/wrap-text.ts';

/** One run of the command `longhaul`. */
export class CliRun {
  readonly #args: readonly string[];
  readonly #io: Io;
  #isJsonPrinted = false;

  /** @param args without the name of the command */
  constructor(args: readonly string[], io: Io) {
    this.#args = args;
    this.#io = io;
  }

  /** Returns the exit status. Never rejects. */
  async run(): Promise<number> {
    const json = (value: unknown) => {
      this.#isJsonPrinted = true;
      printJson(this.#io, value);
    };
    const createContextLate = async () => {
      // Help and usage errors need no configuration.
      const { loadConfig } = await import('../config/config.ts');
      this.#io.begin();
      return createContext(loadConfig(this.#io.env), this.#io, json);
    };
    try {
      await createProgram(this.#io, createContextLate).parseAsync([...this.#args], { from: 'user' });
      return ExitCode.done;
    } catch (error) {
      return this.fail(error);
    }
  }

  /** Reports why the command fails, and returns the exit status. */
  fail(error: unknown): number {
    const { stderr } = this.#io;
    const line = describeError(error);
    if (line) stderr.write(`${wrapText(line, terminalWidth(stderr))}\n`);
    const code = exitCodeOf(error);
    if (wantsJson(this.#args) && !this.#isJsonPrinted && code !== ExitCode.done) {
      printJson(this.#io, { error: jsonErrorOf(error) });
    }
    if (isDebugging(this.#io.env)) stderr.write(`${redact(inspect(error)).split('\n').map(printable).join('\n')}\n`);
    return code;
  }
}

/** Whether the user requested details of unexpected errors. Works even if the configuration is invalid. */
export function isDebugging({ LONGHAUL_LOG_LEVEL: level }: Readonly<NodeJS.ProcessEnv>): boolean {
  return level === 'debug' || level === 'trace';
}
