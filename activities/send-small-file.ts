import type {
  SendSmallFileInput,
  SendSmallFileResult,
  SmallFileHeartbeat,
  TransferActivities,
} from '../src/contracts/activities.ts';
import type { SentPart } from '../src/contracts/failures.ts';
import { ApiError } from '../src/errors.ts';
import type { UploadsClient } from '../src/openai/uploads-client.ts';
import { assertUnchanged } from '../src/sources/assert-unchanged.ts';
import { hashingReader } from '../src/sources/digest/hashing-reader.ts';
import { hashSource } from '../src/sources/digest/hash-source.ts';
import type { Sources } from '../src/sources/sources.ts';
import { changed, isRejectedBeforeWork, toApplicationFailure } from './failures.ts';
import { saysCompleted, saysEnded, sessionLost, uncertain } from './completion/words.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { enterLimits } from './enter-limits.ts';
import { findCompletedFile } from './completion/find-completed-file.ts';
import { runAttempt, type Attempt } from './attempt.ts';
import { scopedSourceError } from './source-scope.ts';

/** Statuses with which servers say that an Upload has ended: completed, cancelled, expired or unknown. */
const ENDED = [400, 404, 409, 410];

/**
 * Sends a file of one part into its session and completes it, in one go. The session is on record before, so that an
 * attempt which follows one that may have completed it can find out: an Upload that can be cancelled was not completed,
 * and the File of one that can't is looked for. Nothing is ever sent into the session again then. An attempt after one
 * that surely completed nothing repeats only what is missing.
 */
export function createSendSmallFile(dependencies: ActivityDependencies): TransferActivities['sendSmallFile'] {
  return (input) => {
    let cleanAttempt: number | undefined;
    let sentPart = input.sentPart;
    return runAttempt<SendSmallFileResult, SmallFileHeartbeat>(
      async (attempt) => {
        const client = dependencies.destination(input.destination);
        const isAfterDoubt = attempt.attempt > 1 && attempt.lastBeat?.cleanAttempt !== attempt.attempt - 1;
        if (input.onlySettle || isAfterDoubt) return settled(client, dependencies.sources, input, attempt);
        sentPart = attempt.lastBeat?.sentPart ?? sentPart;
        let mayBeCompleted = false;
        try {
          sentPart ??= await sendPart(client, dependencies, input, attempt);
          attempt.signal.throwIfAborted();
          mayBeCompleted = true;
          return await complete(client, input, sentPart, attempt);
        } catch (error) {
          const isClean = !mayBeCompleted || isRejectedBeforeWork(error);
          if (isClean) {
            cleanAttempt = attempt.attempt;
            attempt.beatNow();
          }
          const lost = lostSession(error, attempt.attempt);
          if (lost) throw lost;
          const { sources } = dependencies;
          const facts = { attempt: attempt.attempt, notDone: isClean ? (true as const) : undefined };
          const one = { within: input.within, failsQuickly: true };
          const scoped = await scopedSourceError(error, one, facts, { sources, signal: attempt.signal });
          throw isClean ? clean(scoped, attempt, sentPart) : scoped;
        }
      },
      () => (cleanAttempt === undefined ? undefined : { cleanAttempt, sentPart }),
    );
  };
}

async function complete(
  client: UploadsClient,
  { uploadId, sizeBytes: bytes, filename, purpose, uploadCreatedAt: createdAt }: SendSmallFileInput,
  { partId, md5 }: SentPart,
  // A cancellation that comes now comes too late: the service may be done already.
  { stopSignal: signal, timeoutMs }: Attempt<SmallFileHeartbeat>,
): Promise<SendSmallFileResult> {
  const fields = { partIds: [partId], file: { bytes, filename, purpose, createdAt }, md5: md5 || undefined };
  return { file: await client.completeUpload(uploadId, fields, { signal, timeoutMs }), md5 };
}

function clean(
  error: unknown,
  { attempt, signal }: Attempt<SmallFileHeartbeat>,
  sentPart: SentPart | undefined,
): unknown {
  // A cancellation is not a failure.
  if (signal.aborted) return error;
  return toApplicationFailure(error, { attempt, notDone: true, sentPart });
}

async function md5Of(sources: Sources, input: SendSmallFileInput, signal: AbortSignal): Promise<string> {
  const { source, fingerprint, sizeBytes } = input;
  const outcome = await hashSource(sources, { source, fingerprint, sizeBytes, signal });
  if ('md5' in outcome) return outcome.md5;
  throw new Error('hashing stopped without being asked to');
}

async function sendPart(
  client: UploadsClient,
  dependencies: ActivityDependencies,
  { uploadId, source, fingerprint, sizeBytes, md5: withMd5, sharedLimit }: SendSmallFileInput,
  { signal, timeoutMs }: Attempt<SmallFileHeartbeat>,
): Promise<SentPart> {
  const span = { offsetBytes: 0, sizeBytes };
  const opened = await dependencies.sources.open(source, { span, signal }).catch((error: unknown) => {
    throw changed(error) ?? error;
  });
  const hashing = withMd5 ? hashingReader(opened, sizeBytes) : undefined;
  const reader = hashing ?? opened;
  const limited = sharedLimit && enterLimits(dependencies, undefined, sharedLimit);
  try {
    await assertUnchanged(reader, fingerprint);
    const { partId } = await client.addPart(uploadId, { reader, ...span, pace: limited?.pace }, { signal, timeoutMs });
    await assertUnchanged(reader, fingerprint);
    return { partId, md5: hashing?.md5() ?? null };
  } catch (error) {
    throw changed(error) ?? error;
  } finally {
    limited?.leave();
    await reader.close();
  }
}

function lostSession(error: unknown, attempt: number): Error | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const { status } = error.details;
  const isLost = status === 404 || status === 410 || (ENDED.includes(status) && saysEnded(error));
  return isLost ? sessionLost(error.message, attempt, status) : undefined;
}

/**
 * Ends a session.
 *
 * @returns the File that came of it
 * @throws ApplicationFailure `SessionLost` if no File came of the session, and none will
 */
async function settled(
  client: UploadsClient,
  sources: Sources,
  input: SendSmallFileInput,
  attempt: Attempt<SmallFileHeartbeat>,
): Promise<SendSmallFileResult> {
  const { uploadId, uploadCreatedAt, filename, purpose, sizeBytes: bytes, neverCompleted = false } = input;
  const { signal } = attempt;
  const refusal = await cancel(client, uploadId, signal);
  if (!neverCompleted && refusal !== 'cancelled') {
    const md5 = input.md5 ? await md5Of(sources, input, signal) : null;
    const upload = { uploadId, uploadCreatedAt, filename, purpose, bytes, ...(md5 === null ? {} : { md5 }) };
    const file = await findCompletedFile(client, upload, attempt);
    if (file) return { file, md5 };
    if (refusal && (!saysEnded(refusal) || saysCompleted(refusal))) throw uncertain(uploadId, refusal, attempt.attempt);
  }
  throw sessionLost(`${uploadId} ended without a File. The file is sent in a new session`, attempt.attempt);
}

/** @returns `cancelled`, the service's rejection, or undefined if it accepted the call and reports another status */
async function cancel(
  client: UploadsClient,
  uploadId: string,
  signal: AbortSignal,
): Promise<'cancelled' | ApiError | undefined> {
  try {
    const { status } = await client.cancelUpload(uploadId, { signal });
    return /^cancell?ed$/.test(status ?? '') ? 'cancelled' : undefined;
  } catch (error) {
    if (error instanceof ApiError && ENDED.includes(error.details.status)) return error;
    throw error;
  }
}
