import { fstatSync } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { spoolCopy, type SpoolOptions } from './spool-copy.ts';
import type { SpoolFolder } from './spool-folder.ts';

export const standardInput = { what: 'standard input', argument: '"-"' } as const;

/**
 * Copies what comes over `input` into the spool folder, and gives the copy's path: a pipe can be read once only.
 *
 * @throws as `spoolCopy`
 */
export function spoolInput(
  input: Readable & { readonly fd?: number },
  folder: SpoolFolder,
  options: SpoolOptions,
): Promise<string> {
  return spoolCopy(folder, standardInput, options, async (copy) => {
    await copy.begin(sizeOf(input.fd));
    for await (const chunk of addAbortSignal(options.signal, input) as AsyncIterable<Buffer>) await copy.write(chunk);
  });
}

/** Known of a file that a shell put there; a pipe tells nothing. */
function sizeOf(fd: number | undefined): number | undefined {
  const stats = fd === undefined ? undefined : fstatSync(fd);
  return stats?.isFile() ? stats.size : undefined;
}
