import type { Source } from '../contracts/sources.ts';
import { openFileSource } from './file-source.ts';
import { RangeReader } from './range-reader.ts';
import type { SourceReader } from './source-reader.ts';

type Openers = {
  readonly [Type in Source['type']]: (source: Extract<Source, { type: Type }>) => Promise<SourceReader>;
};

/** One line for each kind of source. */
const openers: Openers = {
  file: openFileSource,
};

/**
 * Opens a source for reading; the caller closes it.
 *
 * @throws SourceMissingError when it is missing or not readable
 * @throws SourceUnusableError when it is empty or no such thing as its type says
 * @throws SourceReadError when the storage is in trouble
 */
export async function openSource(source: Source): Promise<SourceReader> {
  const reader = await openers[source.type](source);
  return source.range === undefined ? reader : new RangeReader(reader, source.range);
}
