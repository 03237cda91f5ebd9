import { planSplitHeartbeat } from '../src/core/shape/heartbeats.ts';
import type { PlanSplitHeartbeat, TransferActivities } from '../src/contracts/activities.ts';
import type { DestinationLimits } from '../src/contracts/limits.ts';
import { splitRequest } from '../src/contracts/requests/upload.ts';
import type { FullSplitRequest } from '../src/contracts/split.ts';
import { nameOfSource } from '../src/core/source/names.ts';
import { formatBytes } from '../src/core/text/format.ts';
import type { LineLimit } from '../src/core/split/plan.ts';
import { nameProblem } from '../src/core/upload/file-limits.ts';
import { AbortedError, LineTooLongError, SourceChangedError, SourceUnusableError } from '../src/errors.ts';
import { assertUnchanged, type SourceInfo, type SourceReader } from '../src/sources/source-reader.ts';
import { countLines } from '../src/sources/line-counter.ts';
import {
  assertPieceCount,
  maxLinesOfSplit,
  planPieces,
  SourceLines,
  tooManyLines,
} from '../src/sources/source-lines.ts';
import { changed } from './failures.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runAttempt } from './attempt.ts';
import { firstCall, withFilename } from './first-call.ts';
import { withReceipts } from './piece-receipts.ts';

/**
 * Plans the cuts of a source at line ends, before anything is created. Reads only the bytes around the cuts. If a File has
 * a maximum number of lines, it also counts the lines of the whole source, and the next attempt resumes the count.
 */
export function createPlanSplit(dependencies: ActivityDependencies): TransferActivities['planSplit'] {
  const { sources } = dependencies;
  return ({ request: input, identity }) => {
    let beat: PlanSplitHeartbeat | undefined;
    return runAttempt(
      async ({ signal, attempt, lastBeat }) => {
        beat = lastBeat;
        const call = async (request: FullSplitRequest, limits: DestinationLimits) => {
          const { source, filename, purpose, destination, expectedFingerprint, again } = request;
          const { maxFileBytes, maxLines } = limits;
          const pieceSizeBytes = Math.min(request.pieceSizeBytes ?? Infinity, maxFileBytes);
          const problem = nameProblem(limits, request);
          if (problem !== undefined) throw new SourceUnusableError(`${nameOfSource(source)} ${problem}`);
          return sources.read(source, { signal }, async (reader) => {
            const info = await reader.stat();
            assertPieceCount(info.sizeBytes, pieceSizeBytes, maxFileBytes);
            if (expectedFingerprint !== undefined && info.fingerprint !== expectedFingerprint) {
              throw new SourceChangedError(
                `${filename} changed between the request and the start of the upload. Start a new upload.`,
              );
            }
            const lines = new SourceLines(reader, signal);
            const keep = (reached: PlanSplitHeartbeat) => void (beat = reached);
            const limit = maxLines && (await lineLimit(reader, info, { lines, maxLines, signal, last: beat, keep }));
            const outcome = await planPieces(info.sizeBytes, pieceSizeBytes, lines, limit || undefined);
            await assertUnchanged(reader, info.fingerprint).catch((error: unknown) => {
              throw changed(error) ?? error;
            });
            if (!('pieces' in outcome)) {
              throw new LineTooLongError(
                `the line that starts at byte ${outcome.longLineAtBytes} is longer than ` +
                  `${formatBytes(pieceSizeBytes)} (${pieceSizeBytes} bytes), the maximum of one File. ` +
                  (pieceSizeBytes < maxFileBytes
                    ? 'Shorten the line, or increase the size of the pieces.'
                    : 'Shorten the line.'),
              );
            }
            const { pieces } = outcome;
            if (again) return { ...info, pieces: pieces.map((piece) => ({ ...piece, isReplaced: true as const })) };
            const whole = { filename, purpose, destination, identity, fingerprint: info.fingerprint };
            return { ...info, pieces: await withReceipts(pieces, whole, signal) };
          });
        };
        return firstCall({ schema: splitRequest, input, complete: withFilename }, { attempt }, dependencies, call);
      },
      () => beat,
      planSplitHeartbeat,
    );
  };
}

interface CountContext {
  readonly lines: SourceLines;
  readonly maxLines: number;
  readonly signal: AbortSignal;
  readonly last: PlanSplitHeartbeat | undefined;
  readonly keep: (beat: PlanSplitHeartbeat) => void;
}

/** Counts the lines of the source. Undefined if one File can contain all of them. */
async function lineLimit(
  reader: SourceReader,
  { sizeBytes, fingerprint }: SourceInfo,
  { lines, maxLines, signal, last, keep }: CountContext,
): Promise<LineLimit | undefined> {
  if (sizeBytes <= maxLines) return undefined;
  const { counter, isWhole } = await countLines(reader, {
    sizeBytes,
    resumeFrom: last?.fingerprint === fingerprint ? last.lines : undefined,
    onCheckpoint: (checkpoint) => keep({ fingerprint, lines: checkpoint }),
    isStopping: (count) => signal.aborted || count > maxLinesOfSplit(maxLines),
  });
  if (signal.aborted) throw new AbortedError('the count of the lines was aborted');
  if (!isWhole) throw tooManyLines(maxLines);
  return { maxLines, index: counter.index(lines) };
}
