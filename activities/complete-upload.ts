import { setTimeout } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { CompleteUploadInput, ControlActivities } from '../src/contracts/activities.ts';
import { FailureType } from '../src/contracts/failures.ts';
import type { UploadedFile } from '../src/contracts/upload.ts';
import { ApiError } from '../src/errors.ts';
import type { UploadsClient } from '../src/openai/uploads-client.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runAttempt, type Attempt } from './run-attempt.ts';

/** A list that doesn't show the File yet may show it in a moment; then the question is left to a person. */
const LOOKS = 5;
const LOOK_PAUSE_MS = 1000;
const PAGE_SIZE = 1000;

/** "Completing again is an error on every server seen (400, 404, 409 or 410)." */
const MAYBE_COMPLETED = [400, 404, 409, 410];

/**
 * Completes an Upload. When an earlier attempt may have got through without its answer, completing once more is safe
 * (it is refused), and a refusal is then checked against the files list before it is believed.
 */
export function createCompleteUpload(dependencies: ActivityDependencies): ControlActivities['completeUpload'] {
  return (input) =>
    runAttempt(async (attempt) => {
      const client = dependencies.destination(input.destination);
      const { partIds, md5 } = input;
      try {
        // A cancellation that comes now comes too late: the service may be done already.
        const { stopSignal: signal, timeoutMs } = attempt;
        return await client.completeUpload(input.uploadId, { partIds, ...(md5 ? { md5 } : {}) }, { signal, timeoutMs });
      } catch (error) {
        if (!(error instanceof ApiError) || !MAYBE_COMPLETED.includes(error.details.status)) throw error;
        const isCompleted = saysCompleted(error);
        const mayBeCompleted = isCompleted || input.mayBeCompleted === true || attempt.attempt > 1;
        if (mayBeCompleted) {
          const file = await findResult(client, input, attempt);
          if (file) return file;
        }
        // It may come from a server that still reads the whole content for an earlier attempt.
        if (error.details.status === 409 && !isCompleted) throw error;
        if (isCompleted || (mayBeCompleted && !saysEnded(error))) throw uncertain(input, error, attempt.attempt);
        throw refusal(error, attempt.attempt);
      }
    });
}

/** The message holds our own "completing" beside the server's words. */
function saysCompleted(error: ApiError): boolean {
  return /completed/i.test(`${error.message} ${error.details.apiCode ?? ''}`);
}

/** Words of a server that ended the session itself; such an Upload was not completed. */
function saysEnded(error: ApiError): boolean {
  return /expired|cancell?ed/i.test(`${error.message} ${error.details.apiCode ?? ''}`);
}

/** Beginning again could make a second File; a person can see what a program can't. */
function uncertain({ uploadId }: CompleteUploadInput, error: ApiError, attempt: number): ApplicationFailure {
  return ApplicationFailure.create({
    message:
      `${uploadId} may be completed, but the files list does not show its File (${error.message}); ` +
      'look at the list, and upload again only when the File is missing',
    type: FailureType.CompletionUncertain,
    nonRetryable: true,
    details: [{ attempt, status: error.details.status }],
  });
}

function refusal(error: ApiError, attempt: number): ApplicationFailure {
  const { status } = error.details;
  return ApplicationFailure.create({
    message: error.message,
    type: status === 404 || status === 410 || saysEnded(error) ? FailureType.SessionLost : FailureType.ApiRejected,
    nonRetryable: true,
    details: [{ attempt, status }],
  });
}

async function findResult(
  client: UploadsClient,
  input: CompleteUploadInput,
  { signal, attempt }: Attempt<never>,
): Promise<UploadedFile | undefined> {
  for (let look = 1; look <= LOOKS; look++) {
    const found = await candidates(client, input, signal);
    if (found.length === 1) return found[0];
    if (found.length > 1) {
      throw ApplicationFailure.create({
        message:
          `the answer to the completion of ${input.uploadId} was lost, and ${found.length} files have its name, size and purpose: ` +
          `${found.map((file) => file.id).join(', ')}; compare them and remove what is too many`,
        type: FailureType.CompletionUncertain,
        nonRetryable: true,
        details: [{ attempt }],
      });
    }
    if (look < LOOKS) await setTimeout(LOOK_PAUSE_MS, undefined, { signal });
  }
  return undefined;
}

/** Newest first, and no further back than the Upload itself: its File can't be older. */
async function candidates(
  client: UploadsClient,
  { purpose, filename, bytes, uploadCreatedAt }: CompleteUploadInput,
  signal: AbortSignal,
): Promise<UploadedFile[]> {
  const found: UploadedFile[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await client.listFiles(
      { purpose, order: 'desc', limit: PAGE_SIZE, ...(after ? { after } : {}) },
      { signal },
    );
    const recent = page.files.filter((file) => file.createdAt >= uploadCreatedAt);
    found.push(
      ...recent.filter((file) => file.filename === filename && file.bytes === bytes && file.status !== 'error'),
    );
    if (!page.hasMore || recent.length < page.files.length || page.nextAfter === undefined) return found;
    after = page.nextAfter;
  }
}
