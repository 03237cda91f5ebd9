import type { SendBatchFile, SendBatchInput, SentFile } from '../../src/contracts/batch.ts';
import type { SentPart } from '../../src/contracts/failures.ts';
import type { UploadedFile } from '../../src/contracts/upload.ts';
import { sourceWithin } from '../../src/core/source/names.ts';
import { SourceChangedError, type ApiError } from '../../src/errors.ts';
import type { Destination, PartWatch } from '../../src/destinations/port.ts';
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

/** The calls for one file of a batch. */
export class SmallFile {
  readonly #dependencies: ActivityDependencies;
  readonly #client: Destination;
  readonly #input: SendBatchInput;
  readonly #file: SendBatchFile;
  readonly #attempt: Attempt<unknown>;
  readonly #partSignal: AbortSignal;
  readonly #timeoutMs: number;

  constructor(dependencies: ActivityDependencies, { input, file, attempt, partSignal }: SmallFileOptions) {
    this.#dependencies = dependencies;
    this.#client = dependencies.destination(input.destination);
    this.#input = input;
    this.#file = file;
    this.#attempt = attempt;
    this.#partSignal = partSignal;
    this.#timeoutMs = Math.min(attempt.timeoutMs, CALL_TIMEOUT_MS);
  }

  /** Sends the whole file as one Part. @throws SourceChangedError if it has changed since it was listed */
  async send(watch: PartWatch | undefined): Promise<SentPart> {
    const { sources } = this.#dependencies;
    const { sharedLimit, md5 } = this.#input;
    const { uploadId, fingerprint, sizeBytes } = this.#file;
    const signal = this.#partSignal;
    const span = { offsetBytes: 0, sizeBytes };
    const opened = await sources.open(this.#source, { span, signal }).catch((error: unknown) => {
      throw changed(error) ?? error;
    });
    const lines = { check: this.#input.check, maxLines: this.#input.maxLines };
    const hashing =
      md5 || lines.check ? hashingReader(opened, { source: this.#source, sizeBytes, ...lines }) : undefined;
    const reader = hashing ?? opened;
    const rated = sharedLimit && enterRates(this.#dependencies, undefined, sharedLimit);
    try {
      await assertUnchanged(reader, fingerprint);
      const content = { partNumber: 1, reader, ...span, pace: rated?.pace, listeners: [watch] };
      const { partId } = await this.#client.send(uploadId, content, { signal, timeoutMs: this.#timeoutMs });
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
  async complete({ partId, md5 }: SentPart): Promise<SentFile> {
    const { uploadId, sizeBytes: bytes, filename, uploadCreatedAt: createdAt } = this.#file;
    const { stopSignal: signal } = this.#attempt;
    const file = { bytes, filename, purpose: this.#input.purpose, createdAt };
    const fields = { partIds: [partId], file, md5: md5 || undefined };
    return sentFile(await completeSession(this.#client, uploadId, fields, { signal, timeoutMs: this.#timeoutMs }), md5);
  }

  /**
   * Cancels the session, or finds its File.
   *
   * @param neverCompleted whether no completion was requested, or each was rejected before any work
   * @param md5 of the sent bytes, if it is available
   * @returns the File of the session
   * @throws ApplicationFailure `SessionLost` if the session has no File and cannot get one
   */
  async settle(neverCompleted: boolean, md5?: string | null): Promise<SentFile> {
    const { uploadId } = this.#file;
    const { attempt } = this.#attempt;
    const rejection = await this.#cancel();
    if (!neverCompleted && rejection !== 'cancelled') {
      const found = await this.#find(md5);
      if (found) return found;
      if (rejection && (!saysEnded(rejection) || saysCompleted(rejection))) {
        throw uncertain(uploadId, rejection, attempt);
      }
    }
    throw sessionLost(`${uploadId} has no File. The file is resent in a new session.`, attempt);
  }

  async #find(knownMd5: string | null | undefined): Promise<SentFile | undefined> {
    const { uploadId, uploadCreatedAt, filename, sizeBytes: bytes } = this.#file;
    const md5 = this.#input.md5 ? (knownMd5 ?? (await this.#md5())) : null;
    const upload = { uploadId, uploadCreatedAt, filename, purpose: this.#input.purpose, bytes, md5: md5 ?? undefined };
    const { signal, attempt } = this.#attempt;
    const file = await findCompletedFile(this.#client, upload, { signal, attempt, timeoutMs: this.#timeoutMs });
    return file && sentFile(file, md5);
  }

  /** @returns `cancelled`, the service's rejection, or undefined if it accepted the call and reports another status */
  async #cancel(): Promise<'cancelled' | ApiError | undefined> {
    try {
      const { status } = await this.#client.cancel(this.#file.uploadId, { signal: this.#attempt.signal });
      return /^cancell?ed$/.test(status ?? '') ? 'cancelled' : undefined;
    } catch (error) {
      if (isEnded(error)) return error;
      throw error;
    }
  }

  /** @returns null if the sent bytes no longer exist. The name and the size then identify the File */
  async #md5(): Promise<string | null> {
    const { fingerprint, sizeBytes } = this.#file;
    const { signal } = this.#attempt;
    const pass = { source: this.#source, fingerprint, sizeBytes, signal };
    const outcome = await hashSource(this.#dependencies.sources, pass).catch((error: unknown) => {
      if (error instanceof SourceChangedError) return { md5: null };
      throw error;
    });
    if ('md5' in outcome) return outcome.md5;
    throw new Error('hashing stopped without a request to stop');
  }

  get #source() {
    return sourceWithin(this.#input.source, this.#file.path);
  }
}

function sentFile({ id, createdAt }: UploadedFile, md5: string | null): SentFile {
  return { fileId: id, createdAt, md5 };
}
