import type { ByteRange } from '../../contracts/sources.ts';

/** Finds the line ends of a source. A line end is the offset of the byte after its `\n`. */
export interface LineEnds {
  /** The first line end from `leastBytes` to `mostBytes`, both included; undefined if none exists. */
  first(leastBytes: number, mostBytes: number): Promise<number | undefined>;
  /** The last line end from `leastBytes` to `mostBytes`, both included; undefined if none exists. */
  last(leastBytes: number, mostBytes: number): Promise<number | undefined>;
}

/** Finds lines of a source by their number. */
export interface LineIndex {
  /** Number of lines. The last one can be without a line feed. */
  readonly total: number;
  /** Number of line ends up to an offset, included. */
  readonly before: (offsetBytes: number) => Promise<number>;
  /** The line end with this number, counted from 1. */
  readonly endOf: (line: number) => Promise<number>;
}

/** A maximum number of lines of each piece. */
export interface LineLimit {
  readonly maxLines: number;
  readonly index: LineIndex;
}

/** Consecutive pieces that cover the source, or the start of a line that is longer than a piece. */
export type SplitPlan = { readonly pieces: readonly ByteRange[] } | { readonly longLineAtBytes: number };

/**
 * Cuts a source at line ends into the minimum number of pieces of nearly equal size. If lines are much shorter than a
 * piece, it reads only around the cuts. With a limit of lines, the pieces have nearly the same number of lines if their
 * sizes cannot be nearly equal.
 *
 * @param limitBytes maximum bytes of a piece
 */
export async function planSplit(
  sizeBytes: number,
  limitBytes: number,
  lines: LineEnds,
  limit?: LineLimit,
): Promise<SplitPlan> {
  const least = Math.max(Math.ceil(sizeBytes / limitBytes), limit ? Math.ceil(limit.index.total / limit.maxLines) : 1);
  // With full pieces, a cut cannot be moved to a line end. Another piece makes this possible.
  const cuts =
    (await within(limit, await equalCuts(sizeBytes, limitBytes, least, lines))) ??
    (await within(limit, await equalCuts(sizeBytes, limitBytes, least + 1, lines))) ??
    (limit && (await equalLines(sizeBytes, limitBytes, least, limit.index))) ??
    (limit && (await equalLines(sizeBytes, limitBytes, least + 1, limit.index))) ??
    (await fullCuts(sizeBytes, limitBytes, lines, limit));
  return typeof cuts === 'number' ? { longLineAtBytes: cuts } : { pieces: toPieces([...cuts, sizeBytes]) };
}

/** The cuts, if no piece has too many lines. */
async function within(limit: LineLimit | undefined, cuts: number[] | undefined): Promise<number[] | undefined> {
  if (!limit || !cuts) return cuts;
  const { index, maxLines } = limit;
  let before = 0;
  for (const cut of cuts) {
    const lines = await index.before(cut);
    if (lines - before > maxLines) return undefined;
    before = lines;
  }
  return index.total - before > maxLines ? undefined : cuts;
}

/** Pieces with the same number of lines; undefined if one of them is too large. */
async function equalLines(
  sizeBytes: number,
  limitBytes: number,
  count: number,
  { total, endOf }: LineIndex,
): Promise<number[] | undefined> {
  if (count > total) return undefined;
  const cuts: number[] = [];
  for (let done = 1; done < count; done++) {
    const cut = await endOf(Math.round((total * done) / count));
    if (cut - (cuts.at(-1) ?? 0) > limitBytes) return undefined;
    cuts.push(cut);
  }
  return sizeBytes - (cuts.at(-1) ?? 0) > limitBytes ? undefined : cuts;
}

/** The line ends nearest to equal pieces; undefined if the lines are too long for this number of pieces. */
async function equalCuts(
  sizeBytes: number,
  limitBytes: number,
  count: number,
  lines: LineEnds,
): Promise<number[] | undefined> {
  const cuts: number[] = [];
  for (let done = 1; done < count; done++) {
    const previous = cuts.at(-1) ?? 0;
    // The rest must fit into the remaining pieces, and no piece can be empty.
    const least = Math.max(previous + 1, sizeBytes - (count - done) * limitBytes);
    const most = Math.min(previous + limitBytes, sizeBytes - 1);
    const ideal = Math.min(Math.max(Math.round((sizeBytes * done) / count), least), most);
    const cut = await nearest(ideal, least, most, lines);
    if (cut === undefined) return undefined;
    cuts.push(cut);
  }
  return cuts;
}

async function nearest(ideal: number, least: number, most: number, lines: LineEnds): Promise<number | undefined> {
  if (least > most) return undefined;
  const before = await lines.last(least, ideal);
  if (before === ideal) return before;
  const farthest = before === undefined ? most : Math.min(ideal + (ideal - before) - 1, most);
  const after = farthest > ideal ? await lines.first(ideal + 1, farthest) : undefined;
  return after ?? before;
}

/** Fills each piece, for lines nearly as long as a piece. Returns the start of a line that is too long as a number. */
async function fullCuts(
  sizeBytes: number,
  limitBytes: number,
  lines: LineEnds,
  limit: LineLimit | undefined,
): Promise<number[] | number> {
  const cuts: number[] = [];
  for (let start = 0; ;) {
    const lastLine = limit && (await limit.index.before(start)) + limit.maxLines;
    const byLines = limit && lastLine! < limit.index.total ? await limit.index.endOf(lastLine!) : sizeBytes;
    if (byLines - start <= limitBytes) {
      if (byLines === sizeBytes) return cuts;
      start = byLines;
    } else {
      const cut = await lines.last(start + 1, start + limitBytes);
      if (cut === undefined) return start;
      start = cut;
    }
    cuts.push(start);
  }
}

function toPieces(ends: readonly number[]): ByteRange[] {
  return ends.map((end, index) => {
    const offsetBytes = ends[index - 1] ?? 0;
    return { offsetBytes, sizeBytes: end - offsetBytes };
  });
}
