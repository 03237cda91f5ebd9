import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { CarriedFile, PlannedUpload, SentFile } from '../../src/contracts/batch.ts';
import { BatchLimits, Priorities, type DestinationLimits } from '../../src/contracts/limits.ts';
import type { FullSyncRequest } from '../../src/contracts/sync.ts';
import type { SharedLimit, UploadRequest, UploadResult, WaitingInfo } from '../../src/contracts/upload.ts';
import { mostPartsUnder } from '../../src/core/pace/rate.ts';
import { isSmall, type Load as Files } from '../../src/core/sync/loads.ts';
import { formatBytes } from '../../src/core/text/format.ts';
import { readableIn, sourceWithin } from '../../src/core/source/names.ts';
import { MemoName } from '../../src/contracts/names.ts';
import { summaryCode } from '../../src/core/text/markdown.ts';
import { acceptedPartSizeBytes } from '../../src/core/upload/plan.ts';
import { BatchCalls } from '../fleet/batch-calls.ts';
import { ChildUpload } from '../fleet/child-upload.ts';
import type { Load } from '../fleet/fleet.ts';
import { SmallBatch } from '../fleet/small-batch.ts';
import { Waiting } from '../shell/waiting.ts';

interface UploadsOptions {
  readonly request: FullSyncRequest;
  readonly limits: DestinationLimits;
  readonly giveUpAfterMs: () => number;
  readonly isPaused: () => boolean;
  readonly onSent: (planned: PlannedUpload, sent: SentFile) => void;
  /** Not called for files that a cancellation of the sync has cancelled. */
  readonly onFailed: (planned: PlannedUpload, error: unknown) => void;
  /** Called with the files of a waiting batch if the history is too long. */
  readonly onHandedOver: (files: readonly CarriedFile[]) => void;
  readonly onChange: () => void;
  /** Waits of the batches of the previous execution. */
  readonly waiting: WaitingInfo | undefined;
}

/** Returns the maximum uploads at the same time, each of which sends at least one part. */
export function syncConcurrency({ maxConcurrentUploads: most, limitBytesPerSecond }: FullSyncRequest): number {
  return limitBytesPerSecond ? Math.min(most, mostPartsUnder(limitBytesPerSecond)) : most;
}

/** Creates the loads of a sync's fleet: a batch of small files, or the upload of one larger file. */
export class SyncUploads {
  readonly #options: UploadsOptions;
  /** Scope of the whole sync, because a pause cancels only the step of a batch. */
  readonly #scope = CancellationScope.current();
  /** Shared by all batches, which wait together in an outage of the service. */
  readonly #waiting: Waiting;
  readonly #batchCalls: BatchCalls;
  /** Maximum files of a batch at the same time. Two batches share the limit. */
  readonly #batchConcurrency: number;
  #partSizeBytes: number | undefined;

  constructor(options: UploadsOptions) {
    this.#options = options;
    const { request, limits, giveUpAfterMs, onChange, waiting } = options;
    this.#waiting = new Waiting(giveUpAfterMs, onChange, { carried: waiting, handsOver: () => true });
    this.#batchCalls = new BatchCalls(request, limits, this.#sharedLimit);
    this.#batchConcurrency = Math.min(Math.max(Math.floor(syncConcurrency(request) / 2), 1), BatchLimits.concurrency);
    this.#partSizeBytes = request.upload.partSizeBytes;
  }

  load(files: Files): Load {
    const { maxSessions } = this.#options.request.upload;
    return isSmall(files[0]) ? this.batch(SmallBatch.filesOf(files, maxSessions)) : this.#child(files[0]);
  }

  /** The wait of the batches. */
  get waiting(): WaitingInfo | undefined {
    return this.#waiting.info;
  }

  /** Pause of batches. Other uploads receive it as a control. */
  retry(): void {
    this.#waiting.retry();
  }

  batch(files: readonly CarriedFile[]): SmallBatch {
    const { isPaused, onSent, onHandedOver, onChange } = this.#options;
    return new SmallBatch(files, {
      calls: this.#batchCalls,
      waiting: this.#waiting,
      concurrency: this.#batchConcurrency,
      isPaused,
      onSent,
      onHandedOver,
      onFailed: (planned, error) => this.#failed(planned, error),
      onChange,
    });
  }

  /** Its workflow ID is the same for the same file and content. */
  #child(planned: PlannedUpload): Load {
    const { isPaused, onSent } = this.#options;
    const { path, filename, key, sizeBytes } = planned;
    const { workflowId, memo } = workflowInfo();
    const readable = memo?.[MemoName.hidesNames] === true ? '' : `-${readableIn(filename)}`;
    return new ChildUpload({
      workflowId: `${workflowId}${readable}-${key}`,
      path,
      isPaused,
      request: () => this.#requestOf(planned),
      options: () => ({
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        staticSummary: `${summaryCode(path)} · ${formatBytes(sizeBytes)}`,
      }),
      onResult: (result) => {
        this.#adoptPartSize(result);
        const { file, md5 } = result;
        onSent(planned, { fileId: file.id, md5, createdAt: file.createdAt });
      },
      onFailure: (error) => this.#failed(planned, error),
    });
  }

  #requestOf({ path, filename, fingerprint }: PlannedUpload): UploadRequest {
    const { purpose, destination, upload, source } = this.#options.request;
    return {
      ...upload,
      source: sourceWithin(source, path),
      within: source,
      filename,
      purpose,
      destination,
      partSizeBytes: this.#partSizeBytes,
      priority: upload.priority ?? Priorities.bulk,
      ...this.#limitOfUpload(),
      expectedFingerprint: fingerprint,
    };
  }

  /** The service rejected larger parts: the next uploads start with this size. */
  #adoptPartSize({ bytes, partSizeBytes }: UploadResult): void {
    const { limits } = this.#options;
    const planned = this.#partSizeBytes;
    this.#partSizeBytes = acceptedPartSizeBytes(limits, bytes, planned, partSizeBytes) ?? planned;
  }

  /** A cancelled sync does not report the uploads that its cancellation has cancelled. */
  #failed(planned: PlannedUpload, error: unknown): void {
    if (!this.#scope.consideredCancelled) this.#options.onFailed(planned, error);
  }

  /** Limits the parts in flight to the number that the rate can send within their timeout. */
  #limitOfUpload(): Pick<UploadRequest, 'sharedLimit' | 'concurrency'> {
    const { limitBytesPerSecond, upload } = this.#options.request;
    if (!limitBytesPerSecond) return {};
    const share = Math.floor(mostPartsUnder(limitBytesPerSecond) / syncConcurrency(this.#options.request));
    return {
      sharedLimit: this.#sharedLimit,
      concurrency: Math.min(upload.concurrency, Math.max(share, 1)),
    };
  }

  get #sharedLimit(): SharedLimit | undefined {
    const { limitBytesPerSecond: bytesPerSecond } = this.#options.request;
    return bytesPerSecond ? { key: workflowInfo().firstExecutionRunId, bytesPerSecond } : undefined;
  }
}
