import type { TransferActivities } from '../src/contracts/activities.ts';
import { Limits, type DestinationLimits } from '../src/contracts/limits.ts';
import { splitRequest } from '../src/contracts/requests/upload.ts';
import type { FullSplitRequest } from '../src/contracts/split.ts';
import { filenameOfSource } from '../src/core/source/names.ts';
import { nameKey } from '../src/core/text/name-form.ts';
import { formatBytes } from '../src/core/text/format.ts';
import { planSplit as plan } from '../src/core/split/plan.ts';
import { LineTooLongError, SourceChangedError, SourceUnusableError } from '../src/errors.ts';
import { assertUnchanged } from '../src/sources/assert-unchanged.ts';
import { SourceLines } from '../src/sources/source-lines.ts';
import { changed } from './failures.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runAttempt } from './attempt.ts';
import { firstCall } from './first-call.ts';
import { withReceipts } from './piece-receipts.ts';

/** Plans the cuts of a source at line ends, before anything is created. Reads only the bytes around the cuts. */
export function createPlanSplit(dependencies: ActivityDependencies): TransferActivities['planSplit'] {
  const { sources } = dependencies;
  return ({ request: input, identity }) =>
    runAttempt(async ({ signal, attempt }) => {
      const call = async (request: FullSplitRequest, { maxFileBytes }: DestinationLimits) => {
        const { source, filename, purpose, destination, expectedFingerprint, again } = request;
        const pieceSizeBytes = Math.min(request.pieceSizeBytes, maxFileBytes);
        const reader = await sources.open(source, { signal });
        try {
          const info = await reader.stat();
          assertCount(info.sizeBytes, pieceSizeBytes);
          if (expectedFingerprint !== undefined && info.fingerprint !== expectedFingerprint) {
            throw new SourceChangedError(
              `${filename} changed between the request and the start of the upload. Start a new upload.`,
            );
          }
          const outcome = await plan(info.sizeBytes, pieceSizeBytes, new SourceLines(reader, signal));
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
        } finally {
          await reader.close();
        }
      };
      const complete = (checked: Omit<FullSplitRequest, 'filename'> & { readonly filename?: string }) => {
        const { source, purpose, destination, giveUpAfterMs, partSizeBytes } = checked;
        const filename = nameKey(checked.filename ?? filenameOfSource(source));
        const subject = { filename, purpose, destination };
        return { request: { ...checked, filename }, subject, giveUpAfterMs, partSizeBytes };
      };
      return firstCall({ schema: splitRequest, input, complete }, { attempt }, dependencies, call);
    });
}

/** Long lines can require up to twice as many pieces as the number of bytes. */
function assertCount(sizeBytes: number, pieceSizeBytes: number): void {
  const most = Limits.maxPieces / 2;
  if (sizeBytes / pieceSizeBytes <= most) return;
  const least = Math.ceil(sizeBytes / most);
  throw new SourceUnusableError(
    `${formatBytes(sizeBytes)} in pieces of ${formatBytes(pieceSizeBytes)} are more than ${most} Files. ` +
      `Increase the size of the pieces to at least ${formatBytes(least)} (${least} bytes).`,
  );
}
