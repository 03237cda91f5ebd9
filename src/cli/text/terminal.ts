import { createLogUpdate } from 'log-update';
import { terminalWidth, wrapText } from './wrap-text.ts';
import { printable } from '../../core/text/printable.ts';
import { createInterface } from 'node:readline/promises';
import { ConfigError } from '../../errors.ts';
import type { CliContext } from '../context.ts';

/**
 * Whether lines can be overwritten: false for a terminal without a size, such as that of some CI systems, and for one
 * without control sequences.
 *
 * @param term the variable `TERM`
 */
export function isLiveTerminal({ isTTY, columns, rows }: NodeJS.WriteStream, term: string | undefined): boolean {
  return isTTY && columns > 0 && rows > 0 && term !== 'dumb';
}

/** Lines on a terminal that are overwritten in place. Hides the cursor until `close` or until the process exits. */
export class LiveScreen {
  readonly #stream: NodeJS.WriteStream;
  readonly #write: ReturnType<typeof createLogUpdate>;
  readonly #onResize: () => void;
  #lines: () => readonly string[] = () => [];

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#write = createLogUpdate(stream);
    this.#onResize = () => {
      this.#write.clear();
      this.#draw();
    };
    stream.on('resize', this.#onResize);
  }

  get columns(): number {
    return this.#stream.columns;
  }

  get rows(): number {
    return this.#stream.rows;
  }

  /** @param lines called again when the size of the terminal changes */
  show(lines: () => readonly string[]): void {
    this.#lines = lines;
    this.#draw();
  }

  /** Stops, and keeps the last lines. */
  close(): void {
    this.#stream.off('resize', this.#onResize);
    this.#write.done();
  }

  #draw(): void {
    this.#write(
      this.#lines()
        .map((line) => wrapText(printable(line), terminalWidth(this.#stream)))
        .join('\n'),
    );
  }
}

/** @throws ConfigError if standard input is not a terminal, so that `confirm` cannot prompt */
export function assertPromptable(isTerminal: boolean, fix: string, what = ''): void {
  if (isTerminal) return;
  throw new ConfigError(`cannot prompt for confirmation${what}: standard input is not a terminal. ${fix}`);
}

/** Prompts on standard error, because standard output contains results. Any response except yes is no. */
export async function confirm({ signal, stdin, stderr, interrupt }: CliContext, question: string): Promise<boolean> {
  const lines = createInterface({ input: stdin, output: stderr });
  // During the prompt, the terminal reports Ctrl-C as a key.
  lines.once('SIGINT', interrupt);
  // Ctrl-D means no.
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    const responded = lines.question(`${printable(question)} [y/N] `, { signal }).catch(() => '');
    const response = await Promise.race([responded, closed]);
    signal.throwIfAborted();
    return /^y(es)?$/i.test(response.trim());
  } finally {
    lines.close();
  }
}
