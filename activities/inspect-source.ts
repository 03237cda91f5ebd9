import type { InspectSourceResult, SourceInfo, TransferActivities } from '../src/contracts/activities.ts';
import { Defaults, type DestinationLimits } from '../src/contracts/limits.ts';
import { uploadRequest } from '../src/contracts/requests/upload.ts';
import type { FullUploadRequest } from '../src/contracts/upload.ts';
import { nameOfSource } from '../src/core/source/names.ts';
import { fileProblem, linesProblem } from '../src/core/upload/file-limits.ts';
import { isExpected, withoutInode } from '../src/core/upload/fingerprint.ts';
import { partSizeWithin } from '../src/core/upload/plan.ts';
import { SourceChangedError, SourceUnusableError } from '../src/errors.ts';
import { countLines } from '../src/sources/line-counter.ts';
import { SourceLines } from '../src/sources/source-lines.ts';
import type { SourceReader } from '../src/sources/source-reader.ts';
import { runAttempt } from './attempt.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { changed } from './failures.ts';
import { firstCall, withFilename } from './first-call.ts';
import { scopedSourceError } from './source-scope.ts';

type Checked = Omit<FullUploadRequest, 'partSizeBytes'> & { readonly partSizeBytes?: number };

/** Returns the request with its defaults, and the size and fingerprint of the source, before anything is created. */
export function createInspectSource(dependencies: ActivityDependencies): TransferActivities['inspectSource'] {
  const { sources } = dependencies;
  return ({ request: input }) =>
    runAttempt(({ signal, attempt }) => {
      const inspect = async ({ source, within, ...request }: Checked, limits: DestinationLimits) => {
        try {
          return await sources.read(source, { signal }, async (reader) => {
            const info = await reader.stat();
            const isWithinSize = info.sizeBytes <= limits.maxFileBytes;
            const hasTooManyLines = isWithinSize && (await exceedsLines(reader, info.sizeBytes, limits, signal));
            return { info, linesProblem: hasTooManyLines ? linesProblem(limits, request) : undefined };
          });
        } catch (error) {
          // A sync has listed the source as a file that can be uploaded.
          const now = within && changed(error);
          const scope = { within, failsQuickly: true };
          throw now ?? (await scopedSourceError(error, scope, { attempt }, { sources, signal }));
        }
      };
      const call = async (request: Checked, limits: DestinationLimits) => {
        const { info, linesProblem: ofLines } = await inspect(request, limits);
        assertMeant(request, info, limits, ofLines);
        return { ...info, ...forSize(request, info.sizeBytes, limits) };
      };
      return firstCall({ schema: uploadRequest, input, complete: withFilename }, { attempt }, dependencies, call);
    });
}

/** Maximum time for the lines of a slow source. After it, the check of the content counts them. */
const COUNT_MS = 30_000;

/** Whether a source has too many lines for one File. A file with fewer bytes is not read. */
async function exceedsLines(
  reader: SourceReader,
  sizeBytes: number,
  { maxLines }: DestinationLimits,
  signal: AbortSignal,
): Promise<boolean> {
  if (maxLines === undefined || sizeBytes <= maxLines) return false;
  const endsAtMs = performance.now() + COUNT_MS;
  const isStopping = (lines: number) => lines > maxLines + 1 || signal.aborted || performance.now() > endsAtMs;
  const { counter, isWhole } = await countLines(reader, { sizeBytes, isStopping });
  signal.throwIfAborted();
  if (counter.lines !== maxLines + 1) return counter.lines > maxLines;
  // An empty last line is not counted.
  return isWhole && (await new SourceLines(reader, signal).emptyEndBytes(sizeBytes)) === 0;
}

/** Returns the settings that depend on the size of the source. */
function forSize(
  request: Checked,
  sizeBytes: number,
  limits: DestinationLimits,
): Pick<InspectSourceResult, 'request' | 'isSmall'> {
  const partSizeBytes = partSizeWithin(limits, sizeBytes, request.partSizeBytes);
  const isSmall = sizeBytes <= Math.min(partSizeBytes, Defaults.onePartBytes) ? true : undefined;
  return { request: { ...request, partSizeBytes }, isSmall };
}

/** @throws SourceUnusableError, SourceChangedError if this upload is not meant for the source */
function assertMeant(
  request: Checked,
  { sizeBytes, fingerprint }: SourceInfo,
  limits: DestinationLimits,
  ofLines: string | undefined,
): void {
  const { source, expectedFingerprint, ignoreInode, filename, purpose } = request;
  const problem = fileProblem(limits, { filename, purpose, sizeBytes }) ?? ofLines;
  if (problem !== undefined) throw new SourceUnusableError(`${nameOfSource(source)} ${problem}`);
  const expected = ignoreInode && expectedFingerprint ? withoutInode(expectedFingerprint) : expectedFingerprint;
  if (expected !== undefined && !isExpected(fingerprint, expected)) {
    throw new SourceChangedError(
      `${nameOfSource(source)} changed between the request and the start of the upload. Start a new upload.`,
    );
  }
}
