import type { Sources } from '../../../sources/sources.ts';
import { spoolCopy, type SpoolCopy, type SpoolOptions, type SpoolWords } from './copy.ts';
import type { SpoolFolder } from './folder.ts';

export interface SpoolUrlOptions extends SpoolOptions {
  /** Downloads the URL, if its settings permit it. */
  readonly sources: Sources;
}

/**
 * Downloads a URL to the spool folder, and returns the path of the copy, because not every server supports range requests.
 *
 * @throws as `spoolCopy` and `Sources.download`
 */
export function spoolUrl(url: URL, folder: SpoolFolder, { sources, ...options }: SpoolUrlOptions): Promise<string> {
  const { signal, print } = options;
  const sink = (copy: SpoolCopy) => ({
    begin: (sizeBytes: number | undefined) => copy.start(sizeBytes),
    write: (chunk: Uint8Array) => copy.write(chunk),
    retrying: ({ message }: Error) => print(`${message.replace(/\.$/, '')}. Retrying.`),
  });
  return spoolCopy(folder, urlWords(url), options, (copy) => sources.download(url, sink(copy), { signal }));
}

/** Returns the names of the URL in messages, without the query, which can be secret. */
export function urlWords({ origin, pathname }: URL): SpoolWords {
  return { what: `${origin}${pathname}`, argument: 'the URL' };
}
