import { CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow';
import type { CarriedFile, PlannedUpload } from '../../src/contracts/batch.ts';
import type { WaitingInfo } from '../../src/contracts/upload.ts';
import { commandBytes } from '../../src/core/payload.ts';
import { batchRowBytes } from '../../src/core/sync/loads.ts';
import type { Control } from '../shell/define-workflow.ts';
import { HandOverDue, type Waiting } from '../shell/waiting.ts';
import { BatchFiles, type BatchFilesOptions } from './batch-files.ts';
import type { Load } from './fleet.ts';

export interface BatchOptions extends BatchFilesOptions {
  /** Shared by all batches of the sync, which wait together in an outage of the service. */
  readonly waiting: Waiting;
  readonly isPaused: () => boolean;
  /** Called with the files without a result, which the next execution sends. */
  readonly onHandedOver: (files: readonly CarriedFile[]) => void;
  /** Called after each step. */
  readonly onChange: () => void;
}

/** Small files of a fleet that are sent together, each with its own result. */
export class SmallBatch implements Load {
  readonly commandBytes: number;
  readonly units: number;
  readonly #options: BatchOptions;
  readonly #files: BatchFiles;
  #step: CancellationScope | undefined;

  constructor(files: readonly CarriedFile[], options: BatchOptions) {
    this.#options = options;
    this.#files = new BatchFiles(files, options);
    this.units = options.concurrency;
    const rowsBytes = files.reduce((sum, { planned }) => sum + batchRowBytes(planned), 0);
    this.commandBytes = commandBytes(options.calls.source) + rowsBytes;
  }

  /** Files without a sent byte. */
  static filesOf(planned: readonly PlannedUpload[], maxSessions: number): CarriedFile[] {
    const state = { endsAtMs: 0, left: {}, sessionsLeft: maxSessions, wasRejected: false, settles: false };
    return planned.map((one) => ({ planned: one, ...state }));
  }

  get waiting(): WaitingInfo | undefined {
    return this.#options.waiting.info;
  }

  /** Paths of files that are being sent, or will be sent without operator action. */
  get paths(): readonly string[] {
    return this.#step || !this.#options.isPaused() ? this.#files.paths : [];
  }

  /** Never rejects: each file has a result afterwards. */
  async run(): Promise<void> {
    const { waiting } = this.#options;
    try {
      while (!this.#files.isDone) {
        const pauseMs = await waiting.repeat(() => this.#attempt());
        if (pauseMs > 0 && !this.#files.isDone) await sleep(pauseMs, { summary: 'pause requested by the service' });
      }
    } catch (error) {
      if (error instanceof HandOverDue) {
        this.#options.onHandedOver(this.#files.toJSON());
        return;
      }
      await this.end(error);
      // Wakes the next batch, which then detects the end of the retry period.
      if (waiting.spent && !isCancellation(error)) waiting.retry();
    }
  }

  /** Cancels the sessions, and reports the files. */
  end(error: unknown): Promise<void> {
    return this.#files.end(error);
  }

  /** A pause stops after the files that are being sent. The other files keep their sessions. */
  async apply(control: Control): Promise<void> {
    if (control.type !== 'pause' || !this.#step) return;
    this.#step.cancel();
    await condition(() => this.#step === undefined || !this.#options.isPaused());
  }

  /** @returns milliseconds of a pause that the service requests; undefined if a pause of the sync has stopped it */
  async #attempt(): Promise<number | undefined> {
    const { waiting, isPaused, onChange } = this.#options;
    // A pause can follow a resume in the same workflow task, before this continues.
    do await condition(() => !isPaused());
    while (isPaused());
    // After the retry period of one batch, the others do not wait again for the same failure.
    if (waiting.spent) throw waiting.spent.error;
    const step = new CancellationScope({ cancellable: true });
    const isStopped = () => step.consideredCancelled && !CancellationScope.current().consideredCancelled;
    this.#step = step;
    try {
      const pauseMs = await step.run(() => this.#files.step());
      if (!isStopped()) return pauseMs;
    } catch (error) {
      if (!isStopped() || !isCancellation(error)) throw error;
    } finally {
      this.#step = undefined;
      onChange();
    }
    return undefined;
  }
}
