import type {
  SendSmallFileInput,
  SendSmallFileResult,
  SmallFileHeartbeat,
  TransferActivities,
} from '../src/contracts/activities.ts';
import { ApiError } from '../src/errors.ts';
import type { UploadsClient } from '../src/openai/uploads-client.ts';
import { assertUnchanged } from '../src/sources/assert-unchanged.ts';
import { hashingReader } from '../src/sources/hashing-reader.ts';
import { hashSource } from '../src/sources/hash-source.ts';
import type { Sources } from '../src/sources/sources.ts';
import { changed } from './changed.ts';
import { saysCompleted, saysEnded, sessionLost, uncertain } from './completion-words.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { findCompletedFile } from './find-completed-file.ts';
import { runAttempt, type Attempt } from './run-attempt.ts';

/** Statuses with which servers say that an Upload has ended: completed, cancelled, expired or unknown. */
const ENDED = [400, 404, 409, 410];

/**
 * Sends a file of one part into its session and completes it, in one go. The session is on record before, so that an
 * attempt which follows one that may have completed it can find out: an Upload that can be cancelled was not completed,
 * and the File of one that can't is looked for. Nothing is ever sent into the session again then.
 */
export function createSendSmallFile(dependencies: ActivityDependencies): TransferActivities['sendSmallFile'] {
  return (input) => {
    let cleanAttempt: number | undefined;
    return runAttempt<SendSmallFileResult, SmallFileHeartbeat>(
      async (attempt) => {
        const client = dependencies.destination(input.destination);
        const isAfterDoubt = attempt.attempt > 1 && attempt.lastBeat?.cleanAttempt !== attempt.attempt - 1;
        if (input.onlySettle || isAfterDoubt) {
          const md5 = input.md5 ? await md5Of(dependencies.sources, input, attempt.signal) : null;
          return { file: await settle(client, input, md5, attempt), md5 };
        }
        let mayBeCompleted = false;
        try {
          const { partId, md5 } = await sendPart(client, dependencies.sources, input, attempt);
          attempt.signal.throwIfAborted();
          mayBeCompleted = true;
          // A cancellation that comes now comes too late: the service may be done already.
          const { stopSignal: signal, timeoutMs } = attempt;
          const fields = { partIds: [partId], ...(md5 ? { md5 } : {}) };
          return { file: await client.completeUpload(input.uploadId, fields, { signal, timeoutMs }), md5 };
        } catch (error) {
          if (!mayBeCompleted) {
            cleanAttempt = attempt.attempt;
            attempt.beatNow();
          }
          throw lostSession(error, attempt.attempt) ?? error;
        }
      },
      () => (cleanAttempt === undefined ? undefined : { cleanAttempt }),
    );
  };
}

async function md5Of(sources: Sources, input: SendSmallFileInput, signal: AbortSignal): Promise<string> {
  const { source, fingerprint, sizeBytes } = input;
  const outcome = await hashSource(sources, { source, fingerprint, sizeBytes, signal });
  if ('md5' in outcome) return outcome.md5;
  throw new Error('hashing stopped without being asked to');
}

async function sendPart(
  client: UploadsClient,
  sources: Sources,
  { uploadId, source, fingerprint, sizeBytes, md5: withMd5 }: SendSmallFileInput,
  { signal, timeoutMs }: Attempt<SmallFileHeartbeat>,
): Promise<{ readonly partId: string; readonly md5: string | null }> {
  const span = { offsetBytes: 0, sizeBytes };
  const opened = await sources.open(source, { span, signal });
  const hashing = withMd5 ? hashingReader(opened, sizeBytes) : undefined;
  const reader = hashing ?? opened;
  try {
    await assertUnchanged(reader, fingerprint);
    const { partId } = await client.addPart(uploadId, { reader, ...span }, { signal, timeoutMs });
    await assertUnchanged(reader, fingerprint);
    return { partId, md5: hashing?.md5() ?? null };
  } catch (error) {
    throw changed(error) ?? error;
  } finally {
    await reader.close();
  }
}

function lostSession(error: unknown, attempt: number): Error | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const { status } = error.details;
  const isLost = status === 404 || status === 410 || (ENDED.includes(status) && saysEnded(error));
  return isLost ? sessionLost(error.message, attempt, status) : undefined;
}

/** @throws ApplicationFailure `SessionLost` when no File came of the session, and none will */
async function settle(
  client: UploadsClient,
  input: SendSmallFileInput,
  md5: string | null,
  { signal, attempt, timeoutMs }: Attempt<SmallFileHeartbeat>,
) {
  const { uploadId, uploadCreatedAt, filename, purpose, sizeBytes: bytes } = input;
  try {
    await client.cancelUpload(uploadId, { signal });
  } catch (error) {
    if (!(error instanceof ApiError && ENDED.includes(error.details.status))) throw error;
    const upload = { uploadId, uploadCreatedAt, filename, purpose, bytes, ...(md5 === null ? {} : { md5 }) };
    const file = await findCompletedFile(client, upload, { signal, attempt, timeoutMs });
    if (file) return file;
    if (!saysEnded(error) || saysCompleted(error)) throw uncertain(uploadId, error, attempt);
  }
  throw sessionLost(`${uploadId} was cancelled, as an attempt to complete it was broken off`, attempt);
}
