import type { Sources } from '../../../sources/sources.ts';
import { spoolCopy, type SpoolCopy, type SpoolOptions, type SpoolWords } from './copy.ts';
import type { SpoolFolder } from './folder.ts';

export interface SpoolUrlOptions extends SpoolOptions {
  /** Fetches it, as far as its settings let anybody name the URL. */
  readonly sources: Sources;
}

/**
 * Copies what an HTTP server gives out into the spool folder, and gives the copy's path: not every server gives out a part.
 *
 * @throws as `spoolCopy` and `Sources.download`
 */
export function spoolUrl(url: URL, folder: SpoolFolder, { sources, ...options }: SpoolUrlOptions): Promise<string> {
  const { signal, tell } = options;
  const sink = (copy: SpoolCopy) => ({
    begin: (sizeBytes: number | undefined) => copy.begin(sizeBytes),
    write: (chunk: Uint8Array) => copy.write(chunk),
    retrying: ({ message }: Error) => tell(`${message}; it is tried again`),
  });
  return spoolCopy(folder, urlWords(url), options, (copy) => sources.download(url, sink(copy), { signal }));
}

/** The query may be secret, and nothing names it. */
export function urlWords({ origin, pathname }: URL): SpoolWords {
  return { what: `${origin}${pathname}`, argument: 'the URL' };
}
