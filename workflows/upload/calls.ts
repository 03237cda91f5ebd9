import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import type {
  CreateUploadResult,
  HashCheckpoint,
  HashSourceResult,
  InspectSourceResult,
  SourceInfo,
  UploadPartResult,
} from '../../src/contracts/activities.ts';
import { FailureType } from '../../src/contracts/failures.ts';
import { Defaults, Limits } from '../../src/contracts/limits.ts';
import type { UploadedFile, UploadLimit, UploadRequest } from '../../src/contracts/upload.ts';
import type { AttributeSubject } from '../../src/core/show/attributes.ts';
import { formatBytes } from '../../src/core/text/format.ts';
import { mimeTypeFields } from '../../src/core/upload/mime-type.ts';
import { partRange } from '../../src/core/upload/plan.ts';
import { commandBytes, mostInFlight } from '../../src/core/payload.ts';
import { nameKey } from '../../src/core/text/name-form.ts';
import { filenameOfSource, nameOfSource } from '../../src/core/source/names.ts';
import { isExpected, withoutInode } from '../../src/core/upload/fingerprint.ts';
import { completeTimeoutMs, partTimeoutMs } from '../../src/core/upload/timeouts.ts';
import { activitiesOf, type UploadActivities } from '../shell/activities.ts';
import { summaryCode } from '../../src/core/text/markdown.ts';
import { detailsOf } from '../shell/failures.ts';
import type { OpenSession } from './open-session.ts';

/** The activities of one upload, with what of their input stays the same. Each call is one round of attempts. */
export class UploadCalls {
  readonly subject: AttributeSubject;
  readonly #request: UploadRequest;
  readonly #activities: UploadActivities;

  constructor(request: UploadRequest) {
    this.#request = request;
    this.#activities = activitiesOf(request);
    const { filename = filenameOfSource(request.source), purpose, destination = Defaults.destination } = request;
    this.subject = { filename: nameKey(filename), purpose, destination };
  }

  /** @throws ApplicationFailure for a source that this upload is not meant for */
  async inspect(): Promise<InspectSourceResult> {
    const { source, expectedFingerprint, partSizeBytes = Infinity, ignoreInode } = this.#request;
    const info = await this.#activities.transfer.inspectSource
      .executeWithOptions({ summary: summaryCode(this.subject.filename), startToCloseTimeout: '1m' }, [
        { source, ...this.#within(), smallBytes: Math.min(partSizeBytes, Defaults.onePartBytes) },
      ])
      .catch((error: unknown) => {
        // Nothing was begun yet: a wrong path is better told now than after a day of waiting.
        const cause = error instanceof ActivityFailure ? error.cause : undefined;
        const isMissing = cause instanceof ApplicationFailure && cause.type === FailureType.SourceMissing;
        throw isMissing && detailsOf(error)?.sourceScope !== 'container' ? cause : error;
      });
    if (info.sizeBytes > Limits.maxFileBytes) {
      const size = `${formatBytes(info.sizeBytes)} (${info.sizeBytes} bytes)`;
      const limit = formatBytes(Limits.maxFileBytes);
      const message = `${nameOfSource(source)} has ${size}; an Upload takes ${limit} at most`;
      throw ApplicationFailure.nonRetryable(message, FailureType.SourceUnusable);
    }
    const expected = ignoreInode && expectedFingerprint ? withoutInode(expectedFingerprint) : expectedFingerprint;
    if (expected !== undefined && !isExpected(info.fingerprint, expected)) {
      const message = `${nameOfSource(source)} is not the file that this upload was asked for: it changed before the upload began`;
      throw ApplicationFailure.nonRetryable(message, FailureType.SourceChanged);
    }
    return info;
  }

  create({ sizeBytes }: SourceInfo): Promise<CreateUploadResult> {
    const { purpose, mimeType, fileExpiresAfterSeconds } = this.#request;
    return this.#activities.control.createUpload.executeWithOptions(
      { summary: `${summaryCode(this.subject.filename)} · ${formatBytes(sizeBytes)}` },
      [
        {
          destination: this.subject.destination,
          filename: this.subject.filename,
          purpose,
          bytes: sizeBytes,
          ...mimeTypeFields(this.subject.filename, mimeType),
          fileExpiresAfterSeconds,
        },
      ],
    );
  }

  hash(source: SourceInfo, resumeFrom: HashCheckpoint | null): Promise<HashSourceResult> {
    return this.#activities.transfer.hashSource.executeWithOptions({ summary: 'md5 of the whole file' }, [
      { source: this.#request.source, ...this.#within(), ...source, resumeFrom: resumeFrom || undefined },
    ]);
  }

  /** Maximum number of parts in flight whose activities one message to Temporal can contain. */
  mostPartsInFlight({ fingerprint }: SourceInfo): number {
    const { source, within, sharedLimit } = this.#request;
    return mostInFlight(commandBytes(source, within, sharedLimit, fingerprint));
  }

  /**
   * @param limit that holds now
   * @param withMd5 of the whole file, when the part is all of it
   */
  sendPart(
    partNumber: number,
    { fingerprint }: SourceInfo,
    session: OpenSession,
    limit: UploadLimit | null,
    withMd5: boolean,
  ): Promise<UploadPartResult> {
    const { plan } = session.ledger;
    const range = partRange(plan, partNumber);
    return this.#activities.transfer.uploadPart.executeWithOptions(
      {
        summary: `part ${partNumber}/${plan.partCount} · ${formatBytes(range.sizeBytes)}`,
        startToCloseTimeout: partTimeoutMs(range.sizeBytes),
      },
      [
        {
          destination: this.subject.destination,
          uploadId: session.info.uploadId,
          sessionExpiresAt: session.info.expiresAt,
          partNumber,
          source: this.#request.source,
          ...this.#within(),
          failsQuickly: this.#request.within && session.ledger.done === 0 ? true : undefined,
          fingerprint,
          ...range,
          limit: limit || undefined,
          sharedLimit: this.#request.sharedLimit,
          withMd5: withMd5 || undefined,
        },
      ],
    );
  }

  complete(session: OpenSession, md5: string | null, mayBeCompleted: boolean): Promise<UploadedFile> {
    const { plan } = session.ledger;
    return this.#activities.control.completeUpload.executeWithOptions(
      { summary: `${plan.partCount} parts`, startToCloseTimeout: completeTimeoutMs(plan.sizeBytes) },
      [
        {
          destination: this.subject.destination,
          uploadId: session.info.uploadId,
          uploadCreatedAt: session.info.createdAt,
          partIds: session.ledger.orderedPartIds(),
          mayBeCompleted: mayBeCompleted || undefined,
          ...(md5 === null ? {} : { md5 }),
          filename: this.subject.filename,
          purpose: this.#request.purpose,
          bytes: plan.sizeBytes,
        },
      ],
    );
  }

  #within(): Pick<UploadRequest, 'within'> {
    const { within } = this.#request;
    return within === undefined ? {} : { within };
  }

  /**
   * @param isInDoubt a completion had no clear response
   * @param md5 of the whole file, if it is known
   * @returns the File that the session became, if there is one
   */
  cancel({ info, ledger }: OpenSession, isInDoubt: boolean, md5: string | null): Promise<UploadedFile | undefined> {
    const { uploadId, createdAt: uploadCreatedAt } = info;
    const input = { destination: this.subject.destination, uploadId };
    const summary = summaryCode(uploadId);
    const { cancelUpload } = this.#activities.cleanup;
    if (!isInDoubt) return cancelUpload.executeWithOptions({ summary }, [input]);
    const bytes = ledger.plan.sizeBytes;
    const file = { filename: this.subject.filename, purpose: this.#request.purpose, bytes };
    const completion = { uploadCreatedAt, ...file, ...(md5 === null ? {} : { md5 }) };
    // The content of a File may be read to recognise it.
    const startToCloseTimeout = completeTimeoutMs(bytes);
    const options = { summary, startToCloseTimeout, scheduleToCloseTimeout: 3 * startToCloseTimeout };
    return cancelUpload.executeWithOptions(options, [{ ...input, completion }]);
  }
}
