import type { InspectSourceResult, SourceInfo, TransferActivities } from '../src/contracts/activities.ts';
import { Defaults, type DestinationLimits } from '../src/contracts/limits.ts';
import { uploadRequest } from '../src/contracts/requests/upload.ts';
import type { FullUploadRequest } from '../src/contracts/upload.ts';
import { filenameOfSource, nameOfSource } from '../src/core/source/names.ts';
import { formatBytes } from '../src/core/text/format.ts';
import { nameKey } from '../src/core/text/name-form.ts';
import { isExpected, withoutInode } from '../src/core/upload/fingerprint.ts';
import { partSizeWithin } from '../src/core/upload/plan.ts';
import { SourceChangedError, SourceUnusableError } from '../src/errors.ts';
import { runAttempt } from './attempt.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { changed } from './failures.ts';
import { firstCall } from './first-call.ts';
import { scopedSourceError } from './source-scope.ts';

type Checked = Omit<FullUploadRequest, 'partSizeBytes'> & { readonly partSizeBytes?: number };

/** Returns the request with its defaults, and the size and fingerprint of the source, before anything is created. */
export function createInspectSource(dependencies: ActivityDependencies): TransferActivities['inspectSource'] {
  const { sources } = dependencies;
  return ({ request: input }) =>
    runAttempt(({ signal, attempt }) => {
      const stat = async ({ source, within }: Checked): Promise<SourceInfo> => {
        try {
          const reader = await sources.open(source, { signal });
          try {
            return await reader.stat();
          } finally {
            await reader.close();
          }
        } catch (error) {
          // A sync has listed the source as a file that can be uploaded.
          const now = within && changed(error);
          const scope = { within, failsQuickly: true };
          throw now ?? (await scopedSourceError(error, scope, { attempt }, { sources, signal }));
        }
      };
      const call = async (request: Checked, limits: DestinationLimits) => {
        const info = await stat(request);
        assertMeant(request, info, limits.maxFileBytes);
        return { ...info, ...forSize(request, info.sizeBytes, limits) };
      };
      const complete = (checked: Omit<Checked, 'filename'> & { readonly filename?: string }) => {
        const { source, purpose, destination, giveUpAfterMs, partSizeBytes } = checked;
        const filename = nameKey(checked.filename ?? filenameOfSource(source));
        const subject = { filename, purpose, destination };
        return { request: { ...checked, filename }, subject, giveUpAfterMs, partSizeBytes };
      };
      return firstCall({ schema: uploadRequest, input, complete }, { attempt }, dependencies, call);
    });
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
function assertMeant(request: Checked, { sizeBytes, fingerprint }: SourceInfo, maxFileBytes: number): void {
  const { source, expectedFingerprint, ignoreInode } = request;
  if (sizeBytes > maxFileBytes) {
    const size = `${formatBytes(sizeBytes)} (${sizeBytes} bytes)`;
    const limit = formatBytes(maxFileBytes);
    throw new SourceUnusableError(`${nameOfSource(source)} has ${size}, and the maximum of an Upload is ${limit}`);
  }
  const expected = ignoreInode && expectedFingerprint ? withoutInode(expectedFingerprint) : expectedFingerprint;
  if (expected !== undefined && !isExpected(fingerprint, expected)) {
    throw new SourceChangedError(
      `${nameOfSource(source)} changed between the request and the start of the upload. Start a new upload.`,
    );
  }
}
