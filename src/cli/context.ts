import type { Config } from '../config.ts';

/** Ctrl-C or SIGTERM. */
export class Interrupted extends Error {}

/** What every command gets. */
export interface CliContext {
  readonly config: Config;
  /** Aborted with `Interrupted` at the first Ctrl-C; the second one ends the process. */
  readonly signal: AbortSignal;
  /** Results. */
  readonly out: (line: string) => void;
  /** Everything else. */
  readonly note: (line: string) => void;
}

export function createContext(config: Config): CliContext {
  const interruption = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (interruption.signal.aborted && name === 'SIGINT') process.exit(130);
      interruption.abort(new Interrupted(name));
    });
  }
  return {
    config,
    signal: interruption.signal,
    out: (line) => process.stdout.write(`${line}\n`),
    note: (line) => process.stderr.write(`${line}\n`),
  };
}

/** Resolves when the command is interrupted. */
export function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
