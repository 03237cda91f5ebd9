import { CancellationScope } from '@temporalio/workflow';
import type { PlannedUpload } from '../../src/contracts/activities.ts';
import type { SentFile } from '../../src/contracts/batch.ts';
import { BatchLimits } from '../../src/contracts/limits.ts';
import type { FullSyncRequest } from '../../src/contracts/sync.ts';
import type { WaitingInfo } from '../../src/contracts/upload.ts';
import { batchRowBytes, isSmall, type Load } from '../../src/core/sync/loads.ts';
import { BatchCalls } from '../fleet/batch-calls.ts';
import { SmallBatch } from '../fleet/small-batch.ts';
import { Parking } from '../shell/parking.ts';
import { syncConcurrency, type SyncCalls } from './calls.ts';
import type { SlidingWindow } from './sliding-window.ts';

interface UploadsOptions {
  readonly request: FullSyncRequest;
  readonly calls: SyncCalls;
  readonly window: SlidingWindow;
  readonly giveUpAfterMs: () => number;
  readonly isPaused: () => boolean;
  readonly onSent: (planned: PlannedUpload, sent: SentFile) => void;
  /** Not called for files that a cancellation of the sync has ended. */
  readonly onFailed: (planned: PlannedUpload, error: unknown) => void;
  readonly onChange: () => void;
}

/** The uploads of a sync that run: batches of small files, and uploads of their own. */
export class SyncUploads {
  readonly #options: UploadsOptions;
  /** Of the whole sync: a pause cancels only the step of a batch. */
  readonly #scope = CancellationScope.current();
  /** Of batches: an outage of the service is waited for by all of them together. */
  readonly #parking: Parking;
  readonly #batchCalls: BatchCalls;
  readonly #batches = new Set<SmallBatch>();
  readonly #large = new Set<string>();
  /** Files of a batch at the same time: two batches share what is permitted. */
  readonly #batchConcurrency: number;

  constructor(options: UploadsOptions) {
    this.#options = options;
    const { request, calls, giveUpAfterMs, onChange } = options;
    this.#parking = new Parking(giveUpAfterMs, onChange);
    this.#batchCalls = new BatchCalls(request, calls.sharedLimit);
    this.#batchConcurrency = Math.min(Math.max(Math.floor(syncConcurrency(request) / 2), 1), BatchLimits.concurrency);
  }

  get waiting(): WaitingInfo | undefined {
    return this.#parking.waiting;
  }

  /** Of files that are being sent. */
  get paths(): string[] {
    return [...this.#large, ...[...this.#batches].flatMap((batch) => batch.paths)];
  }

  hasRoom(load: Load): boolean {
    return this.#options.window.hasRoom(this.#bytesOf(load), this.#unitsOf(load));
  }

  start(load: Load): void {
    const work = () => (isSmall(load[0]) ? this.#sendBatch(load) : this.#sendLarge(load[0]));
    this.#options.window.start(this.#bytesOf(load), work, this.#unitsOf(load));
  }

  retry(): void {
    this.#parking.retry();
  }

  /** Batches stop after the files that are being sent. Large files go on. */
  pause(): void {
    for (const batch of this.#batches) batch.pause();
  }

  async #sendBatch(load: Load): Promise<void> {
    const { calls, isPaused, onSent, onChange } = this.#options;
    const batch = new SmallBatch(load, {
      calls: this.#batchCalls,
      parking: this.#parking,
      concurrency: this.#batchConcurrency,
      maxSessions: calls.maxSessions,
      isPaused,
      onSent,
      onFailed: (planned, error) => this.#failed(planned, error),
      onChange,
    });
    this.#batches.add(batch);
    await batch.run();
    this.#batches.delete(batch);
    onChange();
  }

  async #sendLarge(planned: PlannedUpload): Promise<void> {
    const { calls, onSent, onChange } = this.#options;
    this.#large.add(planned.path);
    onChange();
    try {
      const { file, md5 } = await calls.upload(planned);
      onSent(planned, { fileId: file.id, md5, createdAt: file.createdAt });
    } catch (error) {
      this.#failed(planned, error);
    }
    this.#large.delete(planned.path);
    onChange();
  }

  /** A sync that is cancelled does not report what its cancellation has ended. */
  #failed(planned: PlannedUpload, error: unknown): void {
    if (!this.#scope.consideredCancelled) this.#options.onFailed(planned, error);
  }

  #unitsOf([first]: Load): number {
    return isSmall(first) ? this.#batchConcurrency : 1;
  }

  /** About the bytes of the largest command of a load. */
  #bytesOf(load: Load): number {
    const { calls } = this.#options;
    return load.slice(1).reduce((sum, one) => sum + batchRowBytes(one), calls.commandBytes(load[0]));
  }
}
