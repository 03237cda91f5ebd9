import { createInterface } from 'node:readline/promises';
import { printable } from '../../core/text/printable.ts';
import type { CliContext } from '../context.ts';

/** Asks a person; anything but yes is no. The question goes to standard error, as results have standard output. */
export async function confirm({ signal, stdin, stderr, interrupt }: CliContext, question: string): Promise<boolean> {
  const lines = createInterface({ input: stdin, output: stderr });
  // While it asks, the terminal hands Ctrl-C over as a key.
  lines.once('SIGINT', interrupt);
  // Ctrl-D is an answer, too.
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    const answered = lines.question(`${printable(question)} [y/N] `, { signal }).catch(() => '');
    const answer = await Promise.race([answered, closed]);
    signal.throwIfAborted();
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
