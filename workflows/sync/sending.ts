import { ApplicationFailure, CancellationScope, CancelledFailure, condition } from '@temporalio/workflow';
import type { CarriedFile, PlannedUpload, SentFile } from '../../src/contracts/batch.ts';
import { FailureType, type Admitted } from '../../src/contracts/failures.ts';
import type { SyncBatch } from '../../src/contracts/plan-sync.ts';
import type { FullSyncRequest, SyncHandover } from '../../src/contracts/sync.ts';
import type { WaitingInfo } from '../../src/contracts/upload.ts';
import { loadsOf } from '../../src/core/sync/loads.ts';
import type { SyncTally } from '../../src/core/sync/tally.ts';
import type { Fleet, Load } from '../fleet/fleet.ts';
import { problemOf } from '../fleet/upload-end.ts';
import type { Deletions } from './deletions.ts';
import type { Memory } from './memory.ts';
import type { Plans } from './plans.ts';
import { SyncUploads } from './uploads.ts';

type CarriedRun = Required<SyncHandover>['run'];

interface SendingOptions {
  readonly plans: Plans;
  readonly fleet: Fleet;
  readonly memory: Memory;
  readonly tally: SyncTally;
  readonly deletions: Deletions;
  readonly giveUpAfterMs: () => number;
  readonly isPaused: () => boolean;
  readonly isHandOverDue: () => boolean;
  /** Called when the first batch of this execution is planned. */
  readonly onPlanned: () => void;
  readonly onChange: () => void;
}

/** Sends all new and changed files, one planned batch after the other. */
export class Sending {
  readonly #options: SendingOptions;
  /** Undefined until the request is checked. */
  #uploads: SyncUploads | undefined;
  #maxFiles: number | undefined;
  #isFirst: boolean;
  #isDone: boolean;
  #sentUpTo: string | null;
  /** Uploads up to this position that are planned and not started. */
  #planned: readonly PlannedUpload[];
  /** Batches of the previous execution that are not started. */
  #batches: readonly (readonly CarriedFile[])[];
  /** Batches for the next execution. */
  readonly #handedOver: (readonly CarriedFile[])[] = [];
  /** Waits of the batches of the previous execution. */
  readonly #waitedFor: WaitingInfo | undefined;

  constructor(options: SendingOptions, carried: CarriedRun | undefined) {
    this.#options = options;
    this.#isFirst = carried?.isFirst ?? carried === undefined;
    this.#isDone = carried?.uploadsDone ?? false;
    this.#sentUpTo = carried?.sentUpTo ?? null;
    this.#planned = carried?.planned ?? [];
    this.#batches = carried?.batches ?? [];
    this.#waitedFor = carried?.waits?.batches;
  }

  admit({ request, limits }: Admitted<FullSyncRequest>): void {
    const { giveUpAfterMs, isPaused, onChange, tally } = this.#options;
    this.#maxFiles = request.maxFiles;
    this.#uploads ??= new SyncUploads({
      request,
      limits,
      giveUpAfterMs,
      isPaused,
      onChange,
      onSent: (planned, sent) => this.#sent(planned, sent),
      onFailed: ({ path }, error) => tally.notSent(problemOf(path, error)),
      onHandedOver: (files) => this.#handedOver.push(files),
      waiting: this.#waitedFor,
    });
  }

  /** Whether the first lists are incomplete. */
  get isFirst(): boolean {
    return this.#isFirst;
  }

  /** Whether all files are sent or failed. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Waits of the batches, which are separate, because uploads can fail while lists succeed. */
  get waiting(): WaitingInfo | undefined {
    return this.#uploads?.waiting;
  }

  /** Retries waiting batches, also if they are handed over and the next execution cannot start yet. */
  retry(): void {
    const { fleet } = this.#options;
    this.#uploads?.retry();
    // Otherwise the next execution starts now, with a retry.
    if (!this.#uploads || fleet.isEmpty) return;
    for (const files of this.#handedOver.splice(0)) fleet.start(this.#uploads.batch(files));
  }

  /** Runs until all files are sent, or until the next execution sends the rest. */
  async run(): Promise<void> {
    const { plans, fleet, memory, deletions, isHandOverDue, onPlanned } = this.#options;
    const isFirst = this.#isFirst;
    if (!isFirst && !(await this.#startPlanned())) return;
    let batch = await plans.uploads(this.#sentUpTo, isFirst);
    if (isFirst) this.#begin(batch);
    if (batch.hasDeletions) deletions.begin(batch);
    onPlanned();
    for (;;) {
      memory.learn(batch);
      if (batch.packsEarly) await memory.packEarly();
      this.#planned = batch.uploads;
      this.#sentUpTo = batch.uploads.at(-1)?.path ?? this.#sentUpTo;
      if (!(await this.#startPlanned())) return;
      const next = batch.hasDeletions ? null : batch.next;
      if (next === null) break;
      this.#sentUpTo = next;
      if (isHandOverDue()) return;
      batch = await plans.uploads(next, false);
    }
    await condition(() => fleet.isEmpty);
    this.#isDone = this.#handedOver.length === 0;
  }

  /** Ends the sessions of batches that no later execution ends. */
  async abandon(): Promise<void> {
    const ends = [...this.#handedOver, ...this.#batches].map((files) =>
      CancellationScope.nonCancellable(async () => this.#uploads?.batch(files).end(new CancelledFailure('cancelled'))),
    );
    await Promise.all(ends);
  }

  toJSON(): Pick<CarriedRun, 'isFirst' | 'batches' | 'sentUpTo' | 'planned' | 'uploadsDone'> {
    return {
      isFirst: this.#isFirst || undefined,
      batches: [...this.#handedOver, ...this.#batches],
      sentUpTo: this.#sentUpTo,
      planned: this.#planned,
      uploadsDone: this.#isDone,
    };
  }

  /** @returns false if the next execution starts the rest */
  #startPlanned(): Promise<boolean> {
    const { fleet, isHandOverDue } = this.#options;
    return fleet.send(this.#plannedLoads(), isHandOverDue);
  }

  /** Yields the loads. Each is created shortly before its start, with the results of earlier uploads. */
  *#plannedLoads(): Iterable<Load> {
    const uploads = this.#uploads;
    if (!uploads) return;
    const batches = this.#batches;
    for (const [index, files] of batches.entries()) {
      this.#batches = batches.slice(index);
      yield uploads.batch(files);
    }
    this.#batches = [];
    const loads = loadsOf(this.#planned);
    for (const [index, files] of loads.entries()) {
      this.#planned = loads.slice(index).flat();
      yield uploads.load(files);
    }
    this.#planned = [];
  }

  /** @throws ApplicationFailure if the sync would send more files than the request allows */
  #begin({ totals }: SyncBatch): void {
    this.#isFirst = false;
    this.#options.tally.begin(totals);
    const maxFiles = this.#maxFiles;
    if (maxFiles === undefined || totals.toSend.files <= maxFiles) return;
    const message = `the sync would send ${totals.toSend.files} files, more than maxFiles (${maxFiles}), so it sent nothing. Run a dry run to list them`;
    throw ApplicationFailure.nonRetryable(message, FailureType.TooManyFiles);
  }

  #sent({ path, sizeBytes, version, change, mtimeMs }: PlannedUpload, sent: SentFile): void {
    const { memory, tally } = this.#options;
    const { fileId, md5, createdAt } = sent;
    const entry = { path, sizeBytes, version, fileId, md5, createdAt };
    memory.remember(change === undefined ? { ...entry, mtimeMs } : { ...entry, change });
    tally.sent(sizeBytes);
  }
}
