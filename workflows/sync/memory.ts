import type { SyncBatch } from '../../src/contracts/plan-sync.ts';
import type { RememberedFile, SyncMemory } from '../../src/contracts/sync.ts';
import { checkMemory, memoryProblemOf } from '../../src/core/sync/memory-shape.ts';
import { utf8Length } from '../../src/core/text/clip.ts';
import type { SyncCalls } from './calls.ts';

/** Maximum bytes of entries that, together with the memory, fit into the input of one activity (2 MB). */
const PACK_AT_BYTES = 500_000;
/** Bytes of an entry without its path, as JSON. */
const ROW_BYTES = 250;

/** Memory of a sync about the files that were sent, for this run and the next. */
export class Memory {
  readonly #calls: SyncCalls;
  /** Recorded by this execution and not in `#packed` yet. */
  readonly #learnt = new Map<string, RememberedFile>();
  readonly #forgotten = new Set<string>();
  /** Approximate bytes of entries that were recorded since the memory was packed. */
  #learntBytes = 0;
  /** Undefined until the memory of the last run is read. */
  #packed: SyncMemory | null | undefined;
  #problem: string | undefined;

  /** @param problem of the previous execution */
  constructor(calls: SyncCalls, packed: SyncMemory | null | undefined, problem: string | undefined) {
    this.#calls = calls;
    this.#problem = problem;
    if (packed !== undefined) this.#accept(packed);
  }

  /** The memory without entries that are not packed yet. */
  get packed(): SyncMemory | null {
    return this.#packed ?? null;
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
  }

  forget(path: string): void {
    this.#forgotten.add(path);
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

  async pack(): Promise<void> {
    if (this.#learnt.size === 0 && this.#forgotten.size === 0) return;
    const [add, remove] = [[...this.#learnt.values()], [...this.#forgotten]];
    this.#packed = await this.#calls.packMemory(this.packed, add, remove);
    for (const entry of add) if (this.#learnt.get(entry.path) === entry) this.#learnt.delete(entry.path);
    for (const path of remove) this.#forgotten.delete(path);
    this.#learntBytes = 0;
  }

  /** Ignores and reports an unusable memory, because any caller can pass one. */
  #accept(value: unknown): void {
    const { memory, problem } = checkMemory(value);
    this.#packed = memory;
    if (problem !== undefined) this.#problem = memoryProblemOf(problem);
  }
}
