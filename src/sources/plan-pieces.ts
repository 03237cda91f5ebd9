import { planSplit, type LineLimit, type SplitPlan } from '../core/split/plan.ts';
import type { SourceLines } from './source-lines.ts';

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
