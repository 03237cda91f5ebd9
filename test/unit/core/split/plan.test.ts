import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planSplit, type LineEnds, type LineIndex } from '../../../../src/core/split/plan.ts';

/** Line ends of lines of these lengths, each with its `\n`, which is optional in the last line. */
function linesOf(lengths: readonly number[], lastIsEnded = true) {
  const ends: number[] = [];
  let sizeBytes = 0;
  for (const length of lengths) ends.push((sizeBytes += length));
  if (!lastIsEnded) ends.pop();
  const within = (least: number, most: number) => ends.filter((end) => end >= least && end <= most);
  const lines = {
    first: async (least: number, most: number) => within(least, most)[0],
    last: async (least: number, most: number) => within(least, most).at(-1),
  } satisfies LineEnds;
  return { sizeBytes, ends, lines };
}

const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 120 });

async function plan(sizes: readonly number[], limitBytes: number, lastIsEnded = true) {
  const { sizeBytes, ends, lines } = linesOf(sizes, lastIsEnded);
  return { sizeBytes, ends, outcome: await planSplit(sizeBytes, limitBytes, lines) };
}

describe('the plan of a split', () => {
  it('covers the source exactly with whole lines, without empty or oversized pieces', () =>
    fc.assert(
      fc.asyncProperty(lengths, fc.integer({ min: 40, max: 400 }), fc.boolean(), async (sizes, limit, ended) => {
        const { sizeBytes, ends, outcome } = await plan(sizes, limit, ended);
        if (!('pieces' in outcome)) return false;
        let end = 0;
        for (const piece of outcome.pieces) {
          if (piece.offsetBytes !== end || piece.sizeBytes < 1 || piece.sizeBytes > limit) return false;
          end += piece.sizeBytes;
          if (end < sizeBytes && !ends.includes(end)) return false;
        }
        return end === sizeBytes;
      }),
    ));

  it('makes pieces that differ from their mean by at most one line, if lines are short', () =>
    fc.assert(
      fc.asyncProperty(lengths, fc.integer({ min: 160, max: 800 }), async (sizes, limit) => {
        const { sizeBytes, outcome } = await plan(sizes, limit);
        if (!('pieces' in outcome)) return false;
        const { pieces } = outcome;
        // Full pieces are made of lines that leave no other choice.
        fc.pre(sizeBytes / pieces.length <= limit - 40);
        return pieces.every((piece) => Math.abs(piece.sizeBytes - sizeBytes / pieces.length) <= 40 + 1);
      }),
    ));

  it('makes the minimum number of pieces, or one more', () =>
    fc.assert(
      fc.asyncProperty(lengths, fc.integer({ min: 160, max: 800 }), async (sizes, limit) => {
        const { sizeBytes, outcome } = await plan(sizes, limit);
        return 'pieces' in outcome && outcome.pieces.length <= Math.ceil(sizeBytes / (limit - 40)) + 1;
      }),
    ));

  it('reports the position of the first line that is longer than the limit', () =>
    fc.assert(
      fc.asyncProperty(lengths, fc.integer({ min: 1, max: 45 }), fc.boolean(), async (sizes, limit, ended) => {
        const { sizeBytes, outcome } = await plan(sizes, limit, ended);
        const long = sizes.findIndex((size) => size > limit);
        if (long === -1) return 'pieces' in outcome;
        const start = sizes.slice(0, long).reduce((sum, size) => sum + size, 0);
        return sizeBytes > limit && 'longLineAtBytes' in outcome && outcome.longLineAtBytes === start;
      }),
    ));

  it.each<[string, number[], number, number[]]>([
    ['a source within the limit is one piece', [4, 4], 8, [8]],
    ['the nearer line end is before the ideal position', [9, 4, 7], 12, [9, 11]],
    ['the nearer line end is after the ideal position', [3, 8, 9], 12, [11, 9]],
    ['one more piece, if full pieces do not end at a line end', [3, 3, 3, 3, 3, 3, 2], 10, [6, 6, 8]],
    ['lines that are as long as a piece', [10, 10, 10], 10, [10, 10, 10]],
    ['long lines, of which few fit into a piece', [6, 6, 6, 6, 6], 10, [6, 6, 6, 6, 6]],
  ])('%s', async (_, sizes, limit, expected) => {
    const { outcome } = await plan(sizes, limit);
    expect('pieces' in outcome && outcome.pieces.map((piece) => piece.sizeBytes)).toEqual(expected);
  });

  it('reads only around the cuts', async () => {
    const { sizeBytes, lines } = linesOf(Array.from({ length: 1000 }, () => 10));
    let looks = 0;
    const counted = (look: LineEnds['first']): LineEnds['first'] => {
      return (least, most) => {
        looks++;
        return look(least, most);
      };
    };
    await planSplit(sizeBytes, 3000, { first: counted(lines.first), last: counted(lines.last) });
    expect(looks).toBeLessThanOrEqual(2 * 3);
  });
});

describe('the plan of a split with a maximum number of lines', () => {
  const withLines = async (sizes: readonly number[], limitBytes: number, maxLines: number, ended: boolean) => {
    const { sizeBytes, ends, lines } = linesOf(sizes, ended);
    const index: LineIndex = {
      total: sizes.length,
      before: async (offsetBytes) => ends.filter((end) => end <= offsetBytes).length,
      endOf: async (line) => ends[line - 1] as number,
    };
    const outcome = await planSplit(sizeBytes, limitBytes, lines, { maxLines, index });
    if (!('pieces' in outcome)) throw new Error('no line is too long');
    const { pieces } = outcome;
    const allEnds = ended ? ends : [...ends, sizeBytes];
    const counts = pieces.map(
      (piece) => allEnds.filter((end) => end > piece.offsetBytes && end <= piece.offsetBytes + piece.sizeBytes).length,
    );
    return { sizeBytes, ends, pieces, counts };
  };

  it('covers the source with whole lines, and no piece has too many lines or bytes', () =>
    fc.assert(
      fc.asyncProperty(
        lengths,
        fc.integer({ min: 40, max: 400 }),
        fc.integer({ min: 1, max: 30 }),
        fc.boolean(),
        async (sizes, limitBytes, maxLines, ended) => {
          const { sizeBytes, ends, pieces, counts } = await withLines(sizes, limitBytes, maxLines, ended);
          let end = 0;
          for (const piece of pieces) {
            if (piece.offsetBytes !== end || piece.sizeBytes < 1 || piece.sizeBytes > limitBytes) return false;
            end += piece.sizeBytes;
            if (end < sizeBytes && !ends.includes(end)) return false;
          }
          return end === sizeBytes && counts.every((count) => count >= 1 && count <= maxLines);
        },
      ),
    ));

  it('makes the minimum number of pieces, with nearly the same number of lines', async () => {
    const { counts } = await withLines(
      Array.from({ length: 101 }, () => 3),
      1_000_000,
      50,
      true,
    );
    expect(counts).toEqual([34, 33, 34]);
    expect(
      (
        await withLines(
          Array.from({ length: 100 }, () => 3),
          1_000_000,
          50,
          false,
        )
      ).counts,
    ).toEqual([50, 50]);
  });

  it('makes pieces of nearly equal size if that is within the limit', async () => {
    const sizes = [...Array.from({ length: 10 }, () => 40), ...Array.from({ length: 40 }, () => 10)];
    expect((await withLines(sizes, 400, 40, true)).counts).toEqual([10, 40]);
  });
});
