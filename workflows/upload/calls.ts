import type {
  CreateUploadResult,
  HashSourceInput,
  HashSourceResult,
  InspectSourceResult,
  SourceInfo,
  UploadPartResult,
} from '../../src/contracts/activities.ts';
import type { HashCheckpoint } from '../../src/contracts/content.ts';
import { FailureType } from '../../src/contracts/failures.ts';
import type { ByteRange } from '../../src/contracts/sources.ts';
import type { FullUploadRequest, UploadedFile, UploadLimit } from '../../src/contracts/upload.ts';
import { lineCheckOf } from '../../src/core/upload/content.ts';
import { formatBytes } from '../../src/core/text/format.ts';
import { mimeTypeFields } from '../../src/core/upload/mime-type.ts';
import { partRange, completeTimeoutMs, partTimeoutMs } from '../../src/core/upload/plan.ts';
import { commandBytes, isPlainObject, mostInFlight } from '../../src/core/payload.ts';
import { activitiesOf, firstActivities, type UploadActivities } from '../shell/activities.ts';
import type { JobRequest } from '../shell/job-request.ts';
import { firstName, type RawRequest } from '../shell/requests.ts';
import { summaryCode } from '../../src/core/text/markdown.ts';
import { detailsOf, failureIn, failureOf } from '../shell/failures.ts';
import { checkedResult, type Unchecked } from '../shell/results.ts';
import type { OpenSession } from './open-session.ts';

/** The activities of one upload, with their common input. Each call makes up to ten attempts. */
export class UploadCalls {
  readonly #job: JobRequest<InspectSourceResult>;
  #proxies: UploadActivities | undefined;

  constructor(job: JobRequest<InspectSourceResult>) {
    this.#job = job;
  }

  get #request(): FullUploadRequest {
    return this.#job.full;
  }

  get #activities(): UploadActivities {
    return (this.#proxies ??= activitiesOf(this.#request));
  }

  /** @throws ApplicationFailure for a request or a source that cannot be used */
  async inspect(): Promise<InspectSourceResult> {
    const { raw } = this.#job;
    const summary = summaryCode(firstName(raw));
    return firstActivities(raw)
      .inspectSource.executeWithOptions({ summary, startToCloseTimeout: '1m' }, [{ request: raw as never }])
      .then(
        (result) => inspected(result, raw),
        (error: unknown) => {
          // Nothing was started yet: an invalid path must fail now, and not after a day of waiting.
          const cause = failureIn(error);
          const isMissing = cause?.type === FailureType.SourceMissing;
          throw isMissing && detailsOf(error)?.sourceScope !== 'container' ? failureOf(error) : error;
        },
      );
  }

  create({ sizeBytes }: SourceInfo): Promise<Unchecked<CreateUploadResult>> {
    const { purpose, mimeType, fileExpiresAfterSeconds } = this.#request;
    return this.#activities.control.createUpload.executeWithOptions(
      { summary: `${summaryCode(this.#request.filename)} · ${formatBytes(sizeBytes)}` },
      [
        {
          destination: this.#request.destination,
          filename: this.#request.filename,
          purpose,
          bytes: sizeBytes,
          ...mimeTypeFields(this.#request.filename, mimeType),
          fileExpiresAfterSeconds,
        },
      ],
    );
  }

  hash(
    { sizeBytes, fingerprint }: SourceInfo,
    resumeFrom: HashCheckpoint | null,
  ): Promise<Unchecked<HashSourceResult>> {
    const { source, md5, sha256 } = this.#request;
    const { check, maxLines } = this.#lines;
    const work = [md5 && 'MD5', sha256 && 'SHA-256', check && 'check'].filter(Boolean).join(' and ');
    const summary = `${work} of the whole file`;
    return this.#activities.transfer.hashSource.executeWithOptions({ summary }, [
      {
        source,
        within: this.#request.within,
        sizeBytes,
        fingerprint,
        resumeFrom: resumeFrom || undefined,
        check,
        maxLines,
        onlyCheck: md5 ? undefined : true,
        sha256: sha256 || undefined,
      },
    ]);
  }

  /** The check of the content, with the limit that it requires. */
  get #lines(): Pick<HashSourceInput, 'check' | 'maxLines'> {
    const { check: named, purpose } = this.#request;
    const check = lineCheckOf(named, purpose);
    return { check, maxLines: check && this.#job.checked?.limits.maxLines };
  }

  /** Maximum number of parts in flight whose activities one message to Temporal can contain. */
  mostPartsInFlight({ fingerprint }: SourceInfo): number {
    const { source, within, sharedLimit } = this.#request;
    return mostInFlight(commandBytes(source, within, sharedLimit, fingerprint));
  }

  /**
   * @param limit the current limit
   * @param isWhole whether the part is the whole file, whose digests and check can be required
   */
  sendPart(
    partNumber: number,
    { fingerprint }: SourceInfo,
    session: OpenSession,
    limit: UploadLimit | null,
    isWhole: boolean,
  ): Promise<Unchecked<UploadPartResult>> {
    const { plan } = session.ledger;
    const range = partRange(plan, partNumber);
    return this.#activities.transfer.uploadPart.executeWithOptions(
      {
        summary: `part ${partNumber}/${plan.partCount} · ${formatBytes(range.sizeBytes)}`,
        startToCloseTimeout: partTimeoutMs(range.sizeBytes),
      },
      [
        {
          destination: this.#request.destination,
          uploadId: session.info.uploadId,
          sessionExpiresAt: session.info.expiresAt,
          partNumber,
          source: this.#request.source,
          within: this.#request.within,
          failsQuickly: this.#request.within && session.ledger.done === 0 ? true : undefined,
          fingerprint,
          ...range,
          limit: limit || undefined,
          sharedLimit: this.#request.sharedLimit,
          withMd5: (isWhole && this.#request.md5) || undefined,
          withSha256: (isWhole && this.#request.sha256) || undefined,
          ...(isWhole ? this.#lines : {}),
        },
      ],
    );
  }

  /** Returns the result of `sendPart`. Parts with equal IDs are accepted: mock services return one constant ID. */
  sentPart(result: Unchecked<UploadPartResult>, isWhole: boolean): UploadPartResult {
    return checkedResult('uploadPart', result, (digests) => !isWhole || this.#hasDigests(digests));
  }

  /** Returns the result of `hash`. @param isStopped whether the pass can end before the end of the file */
  hashed(result: Unchecked<HashSourceResult>, isStopped: boolean): HashSourceResult {
    return checkedResult('hashSource', result, (one) => ('md5' in one ? this.#hasDigests(one) : isStopped));
  }

  /** Whether the result of a pass over the whole file has the digests of the request. */
  #hasDigests({ md5, sha256 }: Pick<UploadPartResult, 'md5' | 'sha256'>): boolean {
    return (!this.#request.md5 || Boolean(md5)) && (!this.#request.sha256 || sha256 !== undefined);
  }

  complete(session: OpenSession, md5: string | null, mayBeCompleted: boolean): Promise<Unchecked<UploadedFile>> {
    const { plan } = session.ledger;
    return this.#activities.control.completeUpload.executeWithOptions(
      { summary: `${plan.partCount} parts`, startToCloseTimeout: completeTimeoutMs(plan.sizeBytes) },
      [
        {
          destination: this.#request.destination,
          uploadId: session.info.uploadId,
          uploadCreatedAt: session.info.createdAt,
          partIds: session.ledger.orderedPartIds(),
          mayBeCompleted: mayBeCompleted || undefined,
          ...(md5 === null ? {} : { md5 }),
          filename: this.#request.filename,
          purpose: this.#request.purpose,
          bytes: plan.sizeBytes,
        },
      ],
    );
  }

  /**
   * @param isInDoubt whether a completion had no clear response
   * @param md5 of the whole file, if it is available
   * @returns the File of the session, if it exists
   */
  cancel(
    { info, ledger }: OpenSession,
    isInDoubt: boolean,
    md5: string | null,
  ): Promise<Unchecked<UploadedFile | undefined>> {
    const { uploadId, createdAt: uploadCreatedAt } = info;
    const input = { destination: this.#request.destination, uploadId };
    const summary = summaryCode(uploadId);
    const { cancelUpload } = this.#activities.cleanup;
    if (!isInDoubt) return cancelUpload.executeWithOptions({ summary }, [input]);
    const bytes = ledger.plan.sizeBytes;
    const file = { filename: this.#request.filename, purpose: this.#request.purpose, bytes };
    const completion = { uploadCreatedAt, ...file, ...(md5 === null ? {} : { md5 }) };
    // The activity can read the content of a File to recognise it.
    const startToCloseTimeout = completeTimeoutMs(bytes);
    const options = { summary, startToCloseTimeout, scheduleToCloseTimeout: 3 * startToCloseTimeout };
    return cancelUpload.executeWithOptions(options, [{ ...input, completion }]);
  }
}

/** A piece with other bytes would be missing in a split upload. */
function inspected(result: Unchecked<InspectSourceResult>, { source }: RawRequest): InspectSourceResult {
  const { offsetBytes, sizeBytes } = ((isPlainObject(source) ? source['range'] : undefined) ??
    {}) as Partial<ByteRange>;
  return checkedResult('inspectSource', result, ({ request: { source: known }, ...found }) => {
    const isSame = known.range?.offsetBytes === offsetBytes && known.range?.sizeBytes === sizeBytes;
    return isSame && (sizeBytes === undefined || found.sizeBytes === sizeBytes);
  });
}

/** Returns the result of `complete`, or of `cancel` with a File. A File of another size is not that of the session. */
export function completedFile(result: Unchecked<UploadedFile>, { ledger }: OpenSession): UploadedFile {
  return checkedResult('completeUpload', result, ({ bytes }) => bytes === ledger.plan.sizeBytes);
}
