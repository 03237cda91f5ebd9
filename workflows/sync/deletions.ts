import { condition, isCancellation } from '@temporalio/workflow';
import type { PlannedDeletion, SyncBatch } from '../../src/contracts/plan-sync.ts';
import { commandBytes } from '../../src/core/payload.ts';
import type { SyncTally } from '../../src/core/sync/tally.ts';
import type { Fleet, Load } from '../fleet/fleet.ts';
import { problemOf } from '../fleet/upload-end.ts';
import { HandOverDue, type Waiting } from '../shell/waiting.ts';
import type { SyncCalls } from './calls.ts';
import type { Memory } from './memory.ts';
import type { Plans } from './plans.ts';

interface DeletionsOptions {
  readonly calls: SyncCalls;
  readonly plans: Plans;
  readonly fleet: Fleet;
  readonly memory: Memory;
  readonly tally: SyncTally;
  readonly waiting: Waiting;
  readonly isPaused: () => boolean;
  readonly isHandOverDue: () => boolean;
}

/** Deletes the Files of deleted sources, after all uploads. */
export class Deletions {
  readonly #options: DeletionsOptions;
  /** Available after the first batch if nothing is sent. */
  #first: SyncBatch | undefined;
  /** Whether a deletion waits for the next execution. */
  #isLeft = false;
  /** Reason for which Files are not deleted; null if all are deleted. */
  held: string | null = null;

  constructor(options: DeletionsOptions) {
    this.#options = options;
  }

  begin(batch: SyncBatch): void {
    this.#first = batch;
  }

  /**
   * Deletes Files only if all uploads succeeded, because a failed upload can be the renamed source of a File.
   *
   * @returns false if the next execution deletes the rest
   */
  async run(): Promise<boolean> {
    const { plans, fleet, memory, tally, isHandOverDue } = this.#options;
    await memory.pack();
    let after: string | null = null;
    for (;;) {
      if (tally.uploadsFailed > 0) this.held = `${tally.uploadsFailed} uploads failed`;
      this.held ??= memory.problem ?? null;
      if (this.held !== null) break;
      const batch: SyncBatch = this.#first ?? (await plans.deletions(after));
      this.#first = undefined;
      this.held = batch.deletionsHeld;
      if (after === null) tally.toDelete(tally.counts.deleted + batch.deletionCount);
      const loads = batch.deletions.map((planned) => this.#load(planned));
      if (!(await fleet.send(loads, isHandOverDue))) return false;
      if (batch.next === null) break;
      after = batch.next;
    }
    await condition(() => fleet.isEmpty);
    return !this.#isLeft;
  }

  #load(planned: PlannedDeletion): Load {
    const { waiting, isPaused } = this.#options;
    let isCalling = false;
    const call = async (): Promise<true> => {
      // A pause can follow a resume in the same workflow task, before this continues.
      while (isPaused()) await condition(() => !isPaused());
      isCalling = true;
      try {
        await this.#options.calls.deleteFile(planned);
      } finally {
        isCalling = false;
      }
      return true;
    };
    return {
      paths: [],
      commandBytes: commandBytes(planned),
      get waiting() {
        return waiting.info;
      },
      run: () => this.#delete(planned, call),
      // A deletion that runs ends first. One that waits is not repeated during a pause.
      apply: async ({ type }) => {
        if (type === 'pause') await condition(() => !isCalling || !isPaused());
      },
    };
  }

  async #delete({ path, fileId }: PlannedDeletion, call: () => Promise<true>): Promise<void> {
    const { memory, tally, waiting } = this.#options;
    try {
      await waiting.repeat(call);
      memory.forget(path, fileId);
      tally.deleted();
    } catch (error) {
      if (error instanceof HandOverDue) this.#isLeft = true;
      else if (!isCancellation(error)) tally.failed(problemOf(path, error));
    }
  }
}
