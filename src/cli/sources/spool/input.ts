import { fstatSync } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { spoolCopy, type SpoolOptions, type SpoolWords } from './copy.ts';
import type { SpoolFolder } from './folder.ts';

export const standardInput = { what: 'standard input', argument: '"-"' } as const;

/** Time without data after which the command prints that it waits. */
const SILENCE_MS = 2000;

export interface SpoolInputOptions extends SpoolOptions {
  /** Names of the source in messages. @defaultValue standard input */
  readonly words?: SpoolWords;
  /** Called if no byte has arrived after some seconds. */
  readonly onSilence?: () => void;
}

/**
 * Copies all bytes of `input` into the spool folder, and returns the copy's path: a pipe can be read only once.
 *
 * @throws as `spoolCopy`
 */
export function spoolInput(
  input: Readable & { readonly fd?: number },
  folder: SpoolFolder,
  { words = standardInput, onSilence = () => {}, ...options }: SpoolInputOptions,
): Promise<string> {
  return spoolCopy(folder, words, options, async (copy) => {
    await copy.start(sizeOf(input.fd));
    const silence = setTimeout(onSilence, SILENCE_MS);
    try {
      for await (const chunk of addAbortSignal(options.signal, input) as AsyncIterable<Buffer>) {
        clearTimeout(silence);
        await copy.write(chunk);
      }
    } finally {
      clearTimeout(silence);
    }
  });
}

/** Returns the size of a file; undefined for a pipe. */
function sizeOf(fd: number | undefined): number | undefined {
  const stats = fd === undefined ? undefined : fstatSync(fd);
  return stats?.isFile() ? stats.size : undefined;
}
