import { CancellationScope } from '@temporalio/workflow';
import type { SyncBatch } from '../../src/contracts/plan-sync.ts';
import type { ForgottenFile, RememberedFile, SyncMemory } from '../../src/contracts/sync.ts';
import { checkMemory, memoryProblemOf } from '../../src/core/sync/memory-shape.ts';
import { utf8Length } from '../../src/core/text/clip.ts';
import type { Waiting } from '../shell/waiting.ts';
import type { SyncCalls } from './calls.ts';

/** Maximum bytes of entries that, together with the memory, fit into the input of one activity (2 MB). */
const PACK_AT_BYTES = 500_000;
/** Bytes of an entry without its path, as JSON. */
const ROW_BYTES = 250;
/** Time between two writes of the manifest. Each write replaces all of it, so they take at most 5% of the time. */
const MIN_RECORD_AFTER_MS = 5000;
const RECORD_AFTER_WRITES = 20;

/** Memory of a sync about the files that were sent, for this run and the next. */
export class Memory {
  readonly #calls: SyncCalls;
  /**
   * Waits for an operator if the manifest cannot be written; undefined if the memory is in Temporal. It never hands over,
   * because the results are not part of the state of the next execution.
   */
  readonly #waiting: Waiting | undefined;
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

  /**
   * @param problem of the previous execution
   * @param waiting only of the manifest, for a sync with a manifest
   */
  constructor(
    calls: SyncCalls,
    packed: SyncMemory | null | undefined,
    problem: string | undefined,
    waiting: Waiting | undefined,
  ) {
    this.#calls = calls;
    this.#waiting = waiting;
    this.#problem = problem;
    if (packed !== undefined) this.#accept(packed);
  }

  /** The memory without entries that are not packed yet. */
  get packed(): SyncMemory | null {
    return this.#packed ?? null;
  }

  /** The memory for the next run; null if it is in the manifest. */
  get ofResult(): SyncMemory | null {
    return this.#waiting ? null : this.packed;
  }

  /** Reason for which the memory of the last run was ignored. */
  get problem(): string | undefined {
    return this.#problem;
  }

  async recall(): Promise<void> {
    if (this.#packed === undefined) this.#accept(await this.#calls.recall());
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
    if (this.#waiting) await this.pack();
  }

  async pack(): Promise<void> {
    if (this.#learnt.size === 0 && this.#forgotten.size === 0) return;
    if (this.#waiting) return this.#record(this.#waiting);
    const [add, remove] = [[...this.#learnt.values()], [...this.#forgotten.keys()]];
    this.#packed = await this.#calls.packMemory(this.packed, add, remove);
    for (const entry of add) if (this.#learnt.get(entry.path) === entry) this.#learnt.delete(entry.path);
    for (const path of remove) this.#forgotten.delete(path);
    this.#learntBytes = 0;
  }

  /** Writes the results of a sync that ends before all files are sent. Best effort. */
  async abandon(): Promise<void> {
    if (!this.#waiting || !this.#calls.isAdmitted) return;
    const [add, remove] = this.#results();
    await CancellationScope.nonCancellable(() => this.#calls.record(add, remove, true)).catch(() => {});
  }

  /** Writes the manifest from time to time. After the loss of Temporal, the next run does not send these files again. */
  #recordSome(): void {
    const waiting = this.#waiting;
    if (!waiting || this.#recording || Date.now() - this.#recordedAtMs < this.#recordAfterMs) return;
    // `pack` repeats what fails.
    void this.#record(waiting).catch(() => {});
  }

  /** Writes all results, one call after the other. Waits for an operator if that is not possible. */
  async #record(waiting: Waiting): Promise<void> {
    while (this.#recording) await this.#recording.catch(() => {});
    const startedAtMs = Date.now();
    this.#recording = this.#recordOnce(waiting);
    try {
      await this.#recording;
    } finally {
      this.#recording = undefined;
      this.#recordedAtMs = Date.now();
      const tookMs = this.#recordedAtMs - startedAtMs;
      this.#recordAfterMs = Math.max(MIN_RECORD_AFTER_MS, RECORD_AFTER_WRITES * tookMs);
    }
  }

  async #recordOnce(waiting: Waiting): Promise<void> {
    const [add, remove] = this.#results();
    if (add.length + remove.length === 0) return;
    this.#learntBytes = 0;
    await waiting.repeat(() => this.#calls.record(add, remove).then(() => true));
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
