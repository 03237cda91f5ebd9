import { createInterface } from 'node:readline/promises';
import { printable } from '../../core/text/printable.ts';
import type { CliContext } from '../context.ts';

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
