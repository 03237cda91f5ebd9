import { ActivityFailure, ApplicationFailure, CancellationScope } from '@temporalio/workflow';
import { FailureType } from '../../src/contracts/failures.ts';
import type { SyncBatch } from '../../src/contracts/plan-sync.ts';
import type { ForgottenFile, RememberedFile, SyncMemory } from '../../src/contracts/sync.ts';
import { checkMemory, memoryProblemOf } from '../../src/core/sync/memory-shape.ts';
import { clipMessage, utf8Length } from '../../src/core/text/clip.ts';
import { failureOf, isRequestedCancellation, repairable } from '../shell/failures.ts';
import { checkedResult } from '../shell/results.ts';
import type { Waiting } from '../shell/waiting.ts';
import type { SyncCalls } from './calls.ts';

/** Maximum bytes of entries that, together with the memory, fit into the input of one activity (2 MB). */
const PACK_AT_BYTES = 500_000;
/** Bytes of an entry without its path, as JSON. */
const ROW_BYTES = 250;
/** Time between two writes of the manifest. Each write replaces all of it, so they take at most 5% of the time. */
const MIN_RECORD_AFTER_MS = 5000;
const RECORD_AFTER_WRITES = 20;

interface MemoryOptions {
  /** Memory that the caller or the previous execution passes; undefined: that of the last run. */
  readonly packed: SyncMemory | null | undefined;
  /** Problem of the previous execution. */
  readonly problem: string | undefined;
  /** Whether the memory is in a manifest, and not in Temporal. */
  readonly hasManifest: boolean;
  /** Wait for the memory of the last run. It can hand over, because nothing was recorded before it. */
  readonly recalling: Waiting;
  /** Wait for the results to be recorded. It never hands over, because the next execution does not receive the results. */
  readonly recording: Waiting;
}

/**
 * Memory of a sync about the files that were sent, for this run and the next. Without it, a sync would send files again or
 * keep Files of deleted sources. Therefore the sync waits after any failure of its activities.
 */
export class Memory {
  readonly #calls: SyncCalls;
  readonly #hasManifest: boolean;
  readonly #recalling: Waiting;
  readonly #waiting: Waiting;
  /** Recorded by this execution and not in `#packed` yet. */
  readonly #learnt = new Map<string, RememberedFile>();
  /** IDs of Files by path; empty for a path without a File. */
  readonly #forgotten = new Map<string, string>();
  /** Approximate bytes of entries that were recorded since the memory was packed. */
  #learntBytes = 0;
  /** Undefined until the memory of the last run is read. */
  #packed: SyncMemory | null | undefined;
  #problem: string | undefined;
  #recording: Promise<void> | undefined;
  #recordedAtMs = Date.now();
  #recordAfterMs = MIN_RECORD_AFTER_MS;

  constructor(calls: SyncCalls, { packed, problem, hasManifest, recalling, recording }: MemoryOptions) {
    this.#calls = calls;
    this.#hasManifest = hasManifest;
    this.#recalling = recalling;
    this.#waiting = recording;
    this.#problem = problem;
    if (packed !== undefined) this.#accept(packed);
  }

  /** The memory without entries that are not packed yet. */
  get packed(): SyncMemory | null {
    return this.#packed ?? null;
  }

  /** Whether the memory of the last run is read. Otherwise the next execution reads it. */
  get isRecalled(): boolean {
    return this.#packed !== undefined;
  }

  /** The memory for the next run; null if it is in the manifest. */
  get ofResult(): SyncMemory | null {
    return this.#hasManifest ? null : this.packed;
  }

  /** Reason for which the memory of the last run was ignored. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** @throws HandOverDue if the history is too long for another attempt */
  async recall(): Promise<void> {
    if (this.#packed !== undefined) return;
    const recall = async () => ({ memory: checkedResult('recallSync', await this.#calls.recall()) });
    const repeat = (first: FirstFailure | undefined) =>
      repeatCall(this.#recalling, first, 'read the memory of the last run', recall);
    // The first call of an execution that continues a wait ends the wait.
    if (this.#recalling.info) {
      this.#packed = (await repeat(undefined)).memory;
      return;
    }
    let memory: SyncMemory | null;
    try {
      memory = checkedResult('recallSync', await this.#calls.recall());
    } catch (error) {
      ({ memory } = await repeat({ error }));
    }
    this.#packed = memory;
  }

  learn({ recognised, forget = [] }: Pick<SyncBatch, 'recognised'> & Partial<Pick<SyncBatch, 'forget'>>): void {
    for (const entry of recognised) this.remember(entry);
    for (const path of forget) this.forget(path);
  }

  remember(entry: RememberedFile): void {
    this.#learnt.set(entry.path, entry);
    this.#learntBytes += utf8Length(entry.path) + ROW_BYTES;
    this.#recordSome();
  }

  forget(path: string, fileId = ''): void {
    this.#forgotten.set(path, fileId);
  }

  /** Drops a memory that a worker could not use. Otherwise each further execution would report it again. */
  reject(problem: string): void {
    this.#problem = problem;
    this.#packed = null;
  }

  /** Whether the entries must be packed, before they are too large for the input of one activity. */
  async packEarly(): Promise<void> {
    if (this.#learntBytes >= PACK_AT_BYTES) await this.pack();
  }

  /** Writes the manifest, if there is one. Until then, the sync is not completed. */
  async record(): Promise<void> {
    if (this.#hasManifest) await this.pack();
  }

  async pack(): Promise<void> {
    if (this.#learnt.size === 0 && this.#forgotten.size === 0) return;
    if (this.#hasManifest) return this.#record();
    const [add, remove] = [[...this.#learnt.values()], [...this.#forgotten.keys()]];
    const pack = () => this.#calls.packMemory(this.packed, add, remove);
    try {
      this.#packed = await pack();
    } catch (error) {
      this.#packed = await repeatCall(this.#waiting, { error }, 'pack the memory for the next run', pack);
    }
    for (const entry of add) if (this.#learnt.get(entry.path) === entry) this.#learnt.delete(entry.path);
    for (const path of remove) this.#forgotten.delete(path);
    this.#learntBytes = 0;
  }

  /** Writes the results of a sync that ends before all files are sent. Best effort. */
  async abandon(): Promise<void> {
    if (!this.#hasManifest || !this.#calls.isAdmitted) return;
    const [add, remove] = this.#results();
    await CancellationScope.nonCancellable(() => this.#calls.record(add, remove, true)).catch(() => {});
  }

  /** Writes the manifest from time to time. After the loss of Temporal, the next run does not send these files again. */
  #recordSome(): void {
    if (!this.#hasManifest || this.#recording || Date.now() - this.#recordedAtMs < this.#recordAfterMs) return;
    // `pack` repeats what fails.
    void this.#record().catch(() => {});
  }

  /** Writes all results, one call after the other. Waits for an operator if that is not possible. */
  async #record(): Promise<void> {
    while (this.#recording) await this.#recording.catch(() => {});
    const startedAtMs = Date.now();
    this.#recording = this.#recordOnce();
    try {
      await this.#recording;
    } finally {
      this.#recording = undefined;
      this.#recordedAtMs = Date.now();
      const tookMs = this.#recordedAtMs - startedAtMs;
      this.#recordAfterMs = Math.max(MIN_RECORD_AFTER_MS, RECORD_AFTER_WRITES * tookMs);
    }
  }

  async #recordOnce(): Promise<void> {
    const [add, remove] = this.#results();
    if (add.length + remove.length === 0) return;
    this.#learntBytes = 0;
    const failed = (error: unknown) => throwMemoryFailure(error, 'write the results to the manifest');
    await this.#waiting.repeat(() => this.#calls.record(add, remove).then((): true => true, failed));
    for (const entry of add) if (this.#learnt.get(entry.path) === entry) this.#learnt.delete(entry.path);
    for (const { path } of remove) this.#forgotten.delete(path);
  }

  #results(): [RememberedFile[], ForgottenFile[]] {
    const remove = [...this.#forgotten].map(([path, fileId]) => ({ path, fileId }));
    return [[...this.#learnt.values()], remove];
  }

  /** Ignores and reports an unusable memory, because any caller can pass one. */
  #accept(value: unknown): void {
    const { memory, problem } = checkMemory(value);
    this.#packed = memory;
    if (problem !== undefined) this.#problem = memoryProblemOf(problem);
  }
}

/** A call that was made outside of `Waiting`, because it then has no further turn of the event loop if it succeeds. */
interface FirstFailure {
  readonly error: unknown;
}

/** Makes a call until it succeeds. */
function repeatCall<T extends object>(
  waiting: Waiting,
  firstFailure: FirstFailure | undefined,
  action: string,
  call: () => Promise<T>,
): Promise<T> {
  let first = firstFailure;
  return waiting.repeat(async () => {
    try {
      if (!first) return await call();
      const { error } = first;
      first = undefined;
      throw error;
    } catch (error) {
      return throwMemoryFailure(error, action);
    }
  });
}

/** @throws a failure for which the sync waits, because any client can fail an activity with any type */
function throwMemoryFailure(error: unknown, action: string): never {
  if (!(error instanceof ActivityFailure) || isRequestedCancellation(error) || repairable(error)) throw error;
  const { activityType, activityId, identity } = error;
  const problem = clipMessage(`cannot ${action}: ${(failureOf(error) as Error).message.replace(/\.$/, '')}`);
  const message = `${problem}. Check the Temporal server and the log of the workers.`;
  const cause = ApplicationFailure.nonRetryable(message, FailureType.MemoryUnavailable);
  throw new ActivityFailure('Activity task failed', activityType, activityId, error.retryState, identity, cause);
}
