import type { ByteRange } from '../../contracts/sources.ts';

/** Finds the line ends of a source. A line end is the offset of the byte after its `\n`. */
export interface LineEnds {
  /** The first line end from `leastBytes` to `mostBytes`, both included; undefined if none exists. */
  first(leastBytes: number, mostBytes: number): Promise<number | undefined>;
  /** The last line end from `leastBytes` to `mostBytes`, both included; undefined if none exists. */
  last(leastBytes: number, mostBytes: number): Promise<number | undefined>;
}

/** Consecutive pieces that cover the source, or the start of a line that is longer than a piece. */
export type SplitPlan = { readonly pieces: readonly ByteRange[] } | { readonly longLineAtBytes: number };

/**
 * Cuts a source at line ends into the minimum number of pieces of nearly equal size. If lines are much shorter than a
 * piece, it reads only around the cuts.
 *
 * @param limitBytes maximum bytes of a piece
 */
export async function planSplit(sizeBytes: number, limitBytes: number, lines: LineEnds): Promise<SplitPlan> {
  const least = Math.ceil(sizeBytes / limitBytes);
  // With full pieces, a cut cannot be moved to a line end. Another piece makes this possible.
  const cuts =
    (await equalCuts(sizeBytes, limitBytes, least, lines)) ??
    (await equalCuts(sizeBytes, limitBytes, least + 1, lines)) ??
    (await fullCuts(sizeBytes, limitBytes, lines));
  return typeof cuts === 'number' ? { longLineAtBytes: cuts } : { pieces: toPieces([...cuts, sizeBytes]) };
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
async function fullCuts(sizeBytes: number, limitBytes: number, lines: LineEnds): Promise<number[] | number> {
  const cuts: number[] = [];
  for (let start = 0; sizeBytes - start > limitBytes;) {
    const cut = await lines.last(start + 1, start + limitBytes);
    if (cut === undefined) return start;
    cuts.push(cut);
    start = cut;
  }
  return cuts;
}

function toPieces(ends: readonly number[]): ByteRange[] {
  return ends.map((end, index) => {
    const offsetBytes = ends[index - 1] ?? 0;
    return { offsetBytes, sizeBytes: end - offsetBytes };
  });
}
