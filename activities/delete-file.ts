import { ApplicationFailure } from '@temporalio/common';
import type { ControlActivities } from '../src/contracts/activities.ts';
import type { FileFacts } from '../src/contracts/sync.ts';
import type { ListedFile } from '../src/contracts/upload.ts';
import { FailureType } from '../src/contracts/failures.ts';
import { ApiError } from '../src/errors.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { isSameName } from '../src/core/text/name-form.ts';
import { runAttempt } from './attempt.ts';

/** Statuses with which servers report that a File does not exist. */
const GONE = [404, 410];

/**
 * Deletes a File if the service returns the expected name, size and creation time for its ID. A missing File counts as
 * deleted.
 *
 * @throws ApplicationFailure `FileDiffers` if it is another File, or if the expected properties are missing
 */
export function createDeleteFile(dependencies: ActivityDependencies): ControlActivities['deleteFile'] {
  return ({ destination, fileId, expected }) =>
    runAttempt(async ({ signal, timeoutMs }) => {
      if (!expected) throw notDeleted(fileId, 'its plan has no name, size and creation time. Run the sync again');
      const client = dependencies.destination(destination);
      try {
        const different = differenceOf(expected, await client.files.retrieve(fileId, { signal, timeoutMs }));
        if (different !== undefined) {
          throw notDeleted(fileId, `its ${different} at the service differs from that of the uploaded File. ${ADVICE}`);
        }
        await client.files.remove(fileId, { signal, timeoutMs });
      } catch (error) {
        if (!(error instanceof ApiError && GONE.includes(error.details.status))) throw error;
      }
    });
}

const ADVICE = 'Delete the File if it is no longer needed';

function notDeleted(fileId: string, why: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`did not delete ${fileId}: ${why}`, FailureType.FileDiffers);
}

function differenceOf(expected: FileFacts, file: ListedFile): string | undefined {
  if (!isSameName(file.filename, expected.filename)) return 'name';
  if (file.bytes !== expected.bytes) return 'size';
  return file.createdAt === expected.createdAt ? undefined : 'creation time';
}
