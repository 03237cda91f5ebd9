import { Limits } from '../contracts/limits.ts';
import { type LineEnds, planSplit, type LineLimit, type SplitPlan } from '../core/split/plan.ts';
import { formatBytes } from '../core/text/format.ts';
import { limitText } from '../core/upload/file-limits.ts';
import { AbortedError, SourceChangedError, SourceUnusableError } from '../errors.ts';
import type { SourceReader } from './source-reader.ts';

const BLOCK_BYTES = 64 * 1024;
export const LINE_FEED = 0x0a;

/** Finds the line ends of a source in small blocks. A line end is the start of the next line, after `\n`. */
export class SourceLines implements LineEnds {
  readonly #reader: SourceReader;
  readonly #signal: AbortSignal;
  readonly #buffer = Buffer.allocUnsafe(BLOCK_BYTES);

  /** @param signal ends a search with AbortedError */
  constructor(reader: SourceReader, signal: AbortSignal) {
    this.#reader = reader;
    this.#signal = signal;
  }

  /** @throws AbortedError, SourceChangedError, SourceReadError */
  async first(leastBytes: number, mostBytes: number): Promise<number | undefined> {
    // The end at offset n is the line feed at n - 1.
    for (let from = leastBytes - 1; from < mostBytes; from += BLOCK_BYTES) {
      const block = await this.#read(from, Math.min(from + BLOCK_BYTES, mostBytes));
      const found = block.indexOf(LINE_FEED);
      if (found !== -1) return from + found + 1;
    }
    return undefined;
  }

  /** @throws AbortedError, SourceChangedError, SourceReadError */
  async last(leastBytes: number, mostBytes: number): Promise<number | undefined> {
    for (let to = mostBytes; to >= leastBytes; to -= BLOCK_BYTES) {
      const from = Math.max(to - BLOCK_BYTES, leastBytes - 1);
      const found = (await this.#read(from, to)).lastIndexOf(LINE_FEED);
      if (found !== -1) return from + found + 1;
    }
    return undefined;
  }

  /**
   * The bytes of an empty last line, such as the second line feed of `{}\n\n`; 0: none. @throws as `first`
   *
   * @param sizeBytes of the source
   */
  async emptyEndBytes(sizeBytes: number): Promise<number> {
    const end = await this.#read(Math.max(0, sizeBytes - 3), sizeBytes);
    return /\n(\r?\n|\r)$/.exec(end.toString('latin1'))?.[1]?.length ?? 0;
  }

  /** The number of line feeds from `fromBytes` to `toBytes`, excluded. @throws as `first` */
  async count(fromBytes: number, toBytes: number): Promise<number> {
    let count = 0;
    for (let from = fromBytes; from < toBytes; from += BLOCK_BYTES) {
      count += lineFeeds(await this.#read(from, Math.min(from + BLOCK_BYTES, toBytes)));
    }
    return count;
  }

  /** The line end with this number, counted from 1, in a range that has it. @throws as `first` */
  async endOf(fromBytes: number, toBytes: number, number: number): Promise<number> {
    let left = number;
    for (let from = fromBytes; from < toBytes; from += BLOCK_BYTES) {
      const block = await this.#read(from, Math.min(from + BLOCK_BYTES, toBytes));
      for (let at = block.indexOf(LINE_FEED); at !== -1; at = block.indexOf(LINE_FEED, at + 1)) {
        if (--left === 0) return from + at + 1;
      }
    }
    throw new SourceChangedError('the lines of the source changed while it was read. Start a new upload.');
  }

  async #read(fromBytes: number, toBytes: number): Promise<Buffer> {
    const block = this.#buffer.subarray(0, toBytes - fromBytes);
    for (let filled = 0; filled < block.byteLength;) {
      if (this.#signal.aborted) throw new AbortedError('the search for line ends was aborted');
      const bytesRead = await this.#reader.read(block.subarray(filled), fromBytes + filled);
      if (bytesRead === 0)
        throw new SourceChangedError('the source became shorter while it was read. Start a new upload.');
      filled += bytesRead;
    }
    return block;
  }
}

export function lineFeeds(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) count++;
  return count;
}

/**
 * Plans the pieces of a source as `planSplit`. An empty last line is not counted, and belongs to the last piece, because a
 * File that contains only this line is invalid.
 *
 * @throws AbortedError, SourceChangedError, SourceReadError
 */
export async function planPieces(
  sizeBytes: number,
  limitBytes: number,
  lines: SourceLines,
  limit?: LineLimit,
): Promise<SplitPlan> {
  const emptyBytes = await lines.emptyEndBytes(sizeBytes);
  if (emptyBytes === 0) return planSplit(sizeBytes, limitBytes, lines, limit);
  const withoutEmpty = limit && { ...limit, index: { ...limit.index, total: limit.index.total - 1 } };
  const plan = await planSplit(sizeBytes - emptyBytes, limitBytes - emptyBytes, lines, withoutEmpty);
  if (!('pieces' in plan)) return plan;
  const { pieces } = plan;
  const { offsetBytes } = pieces.at(-1) ?? { offsetBytes: 0 };
  return { pieces: [...pieces.slice(0, -1), { offsetBytes, sizeBytes: sizeBytes - offsetBytes }] };
}

const MAX_PIECES = Limits.maxPieces / 2;

/** Long lines can require up to twice as many pieces as the number of bytes. @throws SourceUnusableError */
export function assertPieceCount(sizeBytes: number, pieceSizeBytes: number, maxFileBytes: number): void {
  if (sizeBytes / pieceSizeBytes <= MAX_PIECES) return;
  const least = Math.ceil(sizeBytes / MAX_PIECES);
  throw new SourceUnusableError(
    `${formatBytes(sizeBytes)} in pieces of ${limitText(pieceSizeBytes)} are more than ${MAX_PIECES} Files. ` +
      (least <= maxFileBytes
        ? `Increase --split-size (pieceSizeBytes) to at least ${least}.`
        : 'Divide the source into several files first.'),
  );
}

/** Maximum number of lines of a source that is split. */
export const maxLinesOfSplit = (maxLines: number) => maxLines * MAX_PIECES;

export function tooManyLines(maxLines: number): SourceUnusableError {
  return new SourceUnusableError(
    `more than ${maxLinesOfSplit(maxLines)} lines in Files of ${maxLines} lines are more than ${MAX_PIECES} Files. ` +
      'Divide the source into several files first.',
  );
}
