import { setTimeout } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type {
  SmallFileHeartbeat,
  TransferActivities,
  UploadSmallFileInput,
  UploadSmallFileResult,
} from '../src/contracts/activities.ts';
import { FailureType } from '../src/contracts/failures.ts';
import type { UploadedFile } from '../src/contracts/upload.ts';
import { ApiError } from '../src/errors.ts';
import type { UploadsClient } from '../src/openai/uploads-client.ts';
import { assertUnchanged } from '../src/sources/assert-unchanged.ts';
import { hashSource } from '../src/sources/hash-source.ts';
import { openSource } from '../src/sources/open-source.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runAttempt } from './run-attempt.ts';

/** A list that doesn't show a File yet may show it in a moment. */
const LOOKS = 3;
const LOOK_PAUSE_MS = 1000;
const PAGE_SIZE = 1000;

/** For a session that is given up; it expires by itself when this doesn't get through. */
const CLEANUP_TIMEOUT_MS = 5000;

/** Statuses with which servers say that an Upload has ended: completed, cancelled, expired or unknown. */
const ENDED = [400, 404, 409, 410];

/**
 * Sends a file of one part in one go, which costs a fifth of a workflow of its own. Each attempt has a session of its
 * own. One that finds out that an attempt before it was broken off first makes sure what became of that: an Upload that
 * can be cancelled was not completed, and the File of one that can't is looked for in the files list.
 */
export function createUploadSmallFile(dependencies: ActivityDependencies): TransferActivities['uploadSmallFile'] {
  return (input) => {
    let beat: SmallFileHeartbeat | undefined;
    return runAttempt(
      async ({ signal, attempt, lastBeat, timeoutMs }): Promise<UploadSmallFileResult> => {
        const client = dependencies.destination(input.destination);
        const md5 = input.md5 ? await md5Of(input, signal) : null;
        if (attempt > 1) {
          const file = await fileOfEarlierAttempt(client, input, lastBeat, signal);
          if (file) return { file, md5 };
        }
        const { filename, purpose, sizeBytes: bytes, mimeType, fileExpiresAfterSeconds } = input;
        const life = fileExpiresAfterSeconds === undefined ? {} : { fileExpiresAfterSeconds };
        const fields = { filename, purpose, bytes, mimeType, ...life };
        // Not broken off by a cancellation: a session that is known can be cancelled.
        const session = await client.createUpload(fields, { timeoutMs });
        beat = { uploadId: session.uploadId };
        Context.current().heartbeat(beat);
        return { file: await send(client, session.uploadId, input, md5, { signal, timeoutMs }), md5 };
      },
      () => beat,
    );
  };
}

async function md5Of({ source, fingerprint, sizeBytes }: UploadSmallFileInput, signal: AbortSignal): Promise<string> {
  const outcome = await hashSource({ source, fingerprint, sizeBytes, signal });
  if ('md5' in outcome) return outcome.md5;
  throw new Error('hashing stopped without being asked to');
}

async function send(
  client: UploadsClient,
  uploadId: string,
  { source, fingerprint, sizeBytes }: UploadSmallFileInput,
  md5: string | null,
  limits: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<UploadedFile> {
  let mayBeCompleted = false;
  try {
    const reader = await openSource(source);
    let partId: string;
    try {
      await assertUnchanged(reader, fingerprint);
      ({ partId } = await client.addPart(uploadId, { reader, offsetBytes: 0, sizeBytes }, limits));
      await assertUnchanged(reader, fingerprint);
    } finally {
      await reader.close();
    }
    limits.signal.throwIfAborted();
    mayBeCompleted = true;
    // A cancellation that comes now comes too late: the service may be done already.
    const { timeoutMs } = limits;
    return await client.completeUpload(uploadId, { partIds: [partId], ...(md5 ? { md5 } : {}) }, { timeoutMs });
  } catch (error) {
    const isRefusal = error instanceof ApiError && !error.retryable;
    if (!mayBeCompleted || isRefusal) {
      await client.cancelUpload(uploadId, { timeoutMs: CLEANUP_TIMEOUT_MS }).catch(() => {});
    }
    throw isRefusal && [404, 410].includes(error.details.status) ? sessionLost(error) : error;
  }
}

/** Retried, in a new session. */
function sessionLost(error: ApiError): ApplicationFailure {
  return ApplicationFailure.create({ message: error.message, type: FailureType.SessionLost });
}

/** @throws ApplicationFailure when more than one File may be the one */
async function fileOfEarlierAttempt(
  client: UploadsClient,
  input: UploadSmallFileInput,
  lastBeat: SmallFileHeartbeat | undefined,
  signal: AbortSignal,
): Promise<UploadedFile | undefined> {
  if (lastBeat) {
    try {
      await client.cancelUpload(lastBeat.uploadId, { signal });
      return undefined;
    } catch (error) {
      if (!(error instanceof ApiError && ENDED.includes(error.details.status))) throw error;
    }
  }
  for (let look = 1; look <= LOOKS; look++) {
    const found = await newFiles(client, input, signal);
    if (found.length === 1) return found[0];
    if (found.length > 1) throw uncertain(input, found);
    if (look < LOOKS) await setTimeout(LOOK_PAUSE_MS, undefined, { signal });
  }
  return undefined;
}

function uncertain({ filename }: UploadSmallFileInput, found: readonly UploadedFile[]): ApplicationFailure {
  const ids = found.map(({ id }) => id).join(', ');
  const message = `the answer to the completion of ${filename} was lost, and several files have its name and size: ${ids}; remove what is too many`;
  return ApplicationFailure.nonRetryable(message, FailureType.CompletionUncertain);
}

/** Files of this name and size that were not there when the sync looked: newest first, as far as the newest it saw. */
async function newFiles(
  client: UploadsClient,
  { purpose, filename, sizeBytes, newestFile }: UploadSmallFileInput,
  signal: AbortSignal,
): Promise<UploadedFile[]> {
  const found: UploadedFile[] = [];
  const since = newestFile?.createdAt ?? 0;
  let after: string | undefined;
  for (;;) {
    const query = { purpose, order: 'desc', limit: PAGE_SIZE, ...(after ? { after } : {}) } as const;
    const { files, hasMore, nextAfter } = await client.listFiles(query, { signal });
    const recent = files.filter(({ createdAt }) => createdAt >= since);
    const isNew = (file: UploadedFile) =>
      file.filename === filename && file.bytes === sizeBytes && file.id !== newestFile?.id && file.status !== 'error';
    found.push(...recent.filter(isNew));
    if (!hasMore || nextAfter === undefined || recent.length < files.length) return found;
    after = nextAfter;
  }
}
