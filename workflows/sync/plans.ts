import type { SyncBatch } from '../../src/contracts/plan-sync.ts';
import { FailureType, type Admitted, type FailureDetails } from '../../src/contracts/failures.ts';
import type { FullSyncRequest } from '../../src/contracts/sync.ts';
import type { SyncTally } from '../../src/core/sync/tally.ts';
import { detailsOf, failureIn, failureOf } from '../shell/failures.ts';
import type { Waiting } from '../shell/waiting.ts';
import type { Learning, SyncCalls } from './calls.ts';
import type { Memory } from './memory.ts';
import type { NewestLists } from './newest-lists.ts';

interface PlansOptions {
  readonly lists: NewestLists;
  readonly tally: SyncTally;
  readonly onChange: () => void;
  /** Called with the request, as the first activity returned it. */
  readonly onAdmitted: (admitted: Admitted<FullSyncRequest>) => void;
  readonly onFailure: (details: FailureDetails | undefined) => void;
}

/** Plans one batch after the other. If an operator can fix a failure, waits. */
export class Plans {
  readonly #calls: SyncCalls;
  readonly #memory: Memory;
  readonly #waiting: Waiting;
  readonly #learning: Learning;
  readonly #onFailure: (details: FailureDetails | undefined) => void;
  readonly #lists: NewestLists;
  readonly #tally: SyncTally;
  #leftToRead = 0;

  constructor(calls: SyncCalls, memory: Memory, waiting: Waiting, options: PlansOptions) {
    const { lists, tally, onChange, onAdmitted } = options;
    this.#lists = lists;
    this.#tally = tally;
    this.#onFailure = options.onFailure;
    this.#calls = calls;
    this.#memory = memory;
    this.#waiting = waiting;
    this.#learning = {
      lists: () => lists,
      memory: () => memory.packed,
      read: async ({ recognised, left }) => {
        memory.learn({ recognised });
        this.#leftToRead = left;
        onChange();
        await memory.packEarly();
      },
      pack: () => memory.pack(),
      admit: onAdmitted,
    };
  }

  /** Number of sources whose MD5 is needed and not computed yet. */
  get leftToRead(): number {
    return this.#leftToRead;
  }

  /** @param isFirst whether this is the first call of the sync, in which a missing source fails immediately */
  uploads(after: string | null, isFirst: boolean): Promise<SyncBatch> {
    return this.#plan(() => this.#calls.planUploads(after, this.#learning), isFirst);
  }

  deletions(after: string | null): Promise<SyncBatch> {
    return this.#plan(() => this.#calls.planDeletions(after, this.#learning));
  }

  /** Decisions of a dry run. */
  decisions(): Promise<SyncBatch> {
    return this.#plan(() => this.#calls.decide(this.#learning), true);
  }

  async #plan(call: () => Promise<SyncBatch>, isFirst = false): Promise<SyncBatch> {
    const batch = await this.#waiting.repeat(() =>
      call().catch((error: unknown) => {
        this.#onFailure(detailsOf(error));
        const cause = failureIn(error);
        const isMissing = cause?.type === FailureType.SourceMissing || cause?.type === FailureType.ManifestUnusable;
        throw isFirst && isMissing ? failureOf(error) : error;
      }),
    );
    this.#leftToRead = 0;
    this.#lists.took(batch);
    if (batch.relisted) this.#tally.relisted(batch.relisted);
    const { memoryProblem } = batch.totals;
    if (memoryProblem !== undefined) this.#memory.reject(memoryProblem);
    return batch;
  }
}
