import type { ByteRange } from '../../contracts/sources.ts';

/** Where lines end in a source. A line's end is the offset of the byte behind its `\n`. */
export interface LineEnds {
  /** The first line end from `leastBytes` to `mostBytes`, both included; undefined when there is none. */
  first(leastBytes: number, mostBytes: number): Promise<number | undefined>;
  /** The last line end from `leastBytes` to `mostBytes`, both included; undefined when there is none. */
  last(leastBytes: number, mostBytes: number): Promise<number | undefined>;
}

/** Pieces that follow each other and cover the source, or where the line begins that no piece can hold. */
export type SplitPlan = { readonly pieces: readonly ByteRange[] } | { readonly longLineAtBytes: number };

/**
 * Cuts a source at line ends into as few pieces of nearly equal size as it takes. Looks only around the places of the
 * cuts, as long as lines are short beside a piece.
 *
 * @param limitBytes most bytes of a piece
 */
export async function planSplit(sizeBytes: number, limitBytes: number, lines: LineEnds): Promise<SplitPlan> {
  const least = Math.ceil(sizeBytes / limitBytes);
  // Full pieces leave no room to move a cut to a line end; one piece more does.
  const cuts =
    (await equalCuts(sizeBytes, limitBytes, least, lines)) ??
    (await equalCuts(sizeBytes, limitBytes, least + 1, lines)) ??
    (await fullCuts(sizeBytes, limitBytes, lines));
  return typeof cuts === 'number' ? { longLineAtBytes: cuts } : { pieces: toPieces([...cuts, sizeBytes]) };
}

/** The line ends nearest to equal pieces, or undefined when the lines don't allow for so many pieces. */
async function equalCuts(
  sizeBytes: number,
  limitBytes: number,
  count: number,
  lines: LineEnds,
): Promise<number[] | undefined> {
  const cuts: number[] = [];
  for (let done = 1; done < count; done++) {
    const previous = cuts.at(-1) ?? 0;
    // What is left must fit into the pieces that are left, and none of them may be empty.
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

/** Each piece as full as it can be, for lines nearly as long as a piece; a number says where a line is too long. */
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
