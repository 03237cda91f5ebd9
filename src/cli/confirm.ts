import { createInterface } from 'node:readline/promises';
import type { CliContext } from './context.ts';

/** Asks a person; anything but yes is no. The question goes to standard error, as results have standard output. */
export async function confirm({ signal }: CliContext, question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `, { signal })).trim());
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    lines.close();
  }
}
