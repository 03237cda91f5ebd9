import type { SendBatchFile, SendBatchInput, SentFile } from '../../src/contracts/batch.ts';
import type { SentPart } from '../../src/contracts/failures.ts';
import type { UploadedFile } from '../../src/contracts/upload.ts';
import { sourceWithin } from '../../src/core/source/names.ts';
import { SourceChangedError, type ApiError } from '../../src/errors.ts';
import type { PartWatch } from '../../src/destinations/port.ts';
import { assertUnchanged } from '../../src/sources/source-reader.ts';
import { hashingReader, hashSource } from '../../src/sources/digest/digest-source.ts';
import type { Attempt } from '../attempt.ts';
import { completeSession } from '../completion/complete-session.ts';
import { findCompletedFile } from '../completion/find-completed-file.ts';
import { isEnded, saysCompleted, saysEnded, sessionLost, uncertain } from '../completion/words.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { enterRates } from '../part.ts';
import { changed } from '../failures.ts';

/** Timeout of one call, because a batch can take longer than a file. */
const CALL_TIMEOUT_MS = 295_000;

interface SmallFileOptions {
  readonly input: SendBatchInput;
  readonly file: SendBatchFile;
  readonly attempt: Attempt<unknown>;
  readonly partSignal: AbortSignal;
}

export function smallFileCalls(
  dependencies: ActivityDependencies,
  { input, file, attempt, partSignal }: SmallFileOptions,
) {
  const { sources } = dependencies;
  const client = dependencies.destination(input.destination);
  const source = sourceWithin(input.source, file.path);
  const { uploadId, uploadCreatedAt, filename, fingerprint, sizeBytes } = file;
  const { signal, stopSignal } = attempt;
  const timeoutMs = Math.min(attempt.timeoutMs, CALL_TIMEOUT_MS);

  /** Sends the whole file as one Part. @throws SourceChangedError if it has changed since it was listed */
  async function send(watch: PartWatch | undefined): Promise<SentPart> {
    const { sharedLimit, md5, check, maxLines } = input;
    const span = { offsetBytes: 0, sizeBytes };
    const opened = await sources.open(source, { span, signal: partSignal }).catch((error: unknown) => {
      throw changed(error) ?? error;
    });
    const hashing = md5 || check ? hashingReader(opened, { source, sizeBytes, check, maxLines }) : undefined;
    const reader = hashing ?? opened;
    const rated = sharedLimit && enterRates(dependencies, undefined, sharedLimit);
    try {
      await assertUnchanged(reader, fingerprint);
      const content = { partNumber: 1, reader, ...span, pace: rated?.pace, listeners: [watch] };
      const { partId } = await client.send(uploadId, content, { signal: partSignal, timeoutMs });
      await assertUnchanged(reader, fingerprint);
      const hashed = hashing?.result();
      return { partId, md5: (md5 ? hashed?.md5 : undefined) ?? null };
    } catch (error) {
      throw changed(error) ?? error;
    } finally {
      rated?.leave();
      await reader.close();
    }
  }

  /** A cancellation does not abort this call: the service can have completed the Upload already. */
  async function complete({ partId, md5 }: SentPart): Promise<SentFile> {
    const created = { bytes: sizeBytes, filename, purpose: input.purpose, createdAt: uploadCreatedAt };
    const fields = { partIds: [partId], file: created, md5: md5 || undefined };
    return sentFile(await completeSession(client, uploadId, fields, { signal: stopSignal, timeoutMs }), md5);
  }

  /**
   * Cancels the session, or finds its File.
   *
   * @param neverCompleted whether no completion was requested, or each was rejected before any work
   * @param md5 of the sent bytes, if it is available
   * @returns the File of the session
   * @throws ApplicationFailure `SessionLost` if the session has no File and cannot get one
   */
  async function settle(neverCompleted: boolean, md5?: string | null): Promise<SentFile> {
    const rejection = await cancel();
    if (!neverCompleted && rejection !== 'cancelled') {
      const found = await find(md5);
      if (found) return found;
      if (rejection && (!saysEnded(rejection) || saysCompleted(rejection))) {
        throw uncertain(uploadId, rejection, attempt.attempt);
      }
    }
    throw sessionLost(`${uploadId} has no File. The file is resent in a new session.`, attempt.attempt);
  }

  async function find(knownMd5: string | null | undefined): Promise<SentFile | undefined> {
    const md5 = input.md5 ? (knownMd5 ?? (await md5OfSource())) : null;
    const { purpose } = input;
    const upload = { uploadId, uploadCreatedAt, filename, purpose, bytes: sizeBytes, md5: md5 ?? undefined };
    const found = await findCompletedFile(client, upload, { signal, attempt: attempt.attempt, timeoutMs });
    return found && sentFile(found, md5);
  }

  /** @returns `cancelled`, the service's rejection, or undefined if it accepted the call and reports another status */
  async function cancel(): Promise<'cancelled' | ApiError | undefined> {
    try {
      const { status } = await client.cancel(uploadId, { signal });
      return /^cancell?ed$/.test(status ?? '') ? 'cancelled' : undefined;
    } catch (error) {
      if (isEnded(error)) return error;
      throw error;
    }
  }

  /** @returns null if the sent bytes no longer exist. The name and the size then identify the File */
  async function md5OfSource(): Promise<string | null> {
    const pass = { source, fingerprint, sizeBytes, signal };
    const outcome = await hashSource(sources, pass).catch((error: unknown) => {
      if (error instanceof SourceChangedError) return { md5: null };
      throw error;
    });
    if ('md5' in outcome) return outcome.md5;
    throw new Error('hashing stopped without a request to stop');
  }

  return { send, complete, settle };
}

export type SmallFileCalls = ReturnType<typeof smallFileCalls>;

function sentFile({ id, createdAt }: UploadedFile, md5: string | null): SentFile {
  return { fileId: id, createdAt, md5 };
}
