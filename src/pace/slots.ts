import type { ActivitySlotInfo, CustomSlotSupplier, SlotPermit, WorkerTuner } from '@temporalio/worker';
import type { TransferActivities } from '../contracts/activities.ts';
import { Queue } from './window.ts';

type Use = ActivitySlotInfo;

const HASHING: keyof TransferActivities = 'hashSource';

/**
 * Slots for parts, and as many beside them for md5s. An md5 moves nothing and takes as long as its file is large: when
 * some uploads begin at the same time, theirs would take every slot, and no part would be sent meanwhile.
 *
 * What a slot will be used for is known only when the task is there. So an md5 gives its slot back to the parts when it
 * begins; those that exceed the md5s' own number keep theirs.
 */
export class TransferSlots implements CustomSlotSupplier<Use> {
  readonly type = 'custom';
  readonly #slots: () => number;
  readonly #queue = new Queue();
  /** Reserved or used, for whatever. */
  #taken = 0;
  #hashing = 0;

  /** @param slots parts at a time; md5s at a time as well. Call `grant` when a function's answer has changed. */
  constructor(slots: number | (() => number)) {
    this.#slots = typeof slots === 'number' ? () => slots : slots;
  }

  async reserveSlot(_context: unknown, abortSignal: AbortSignal): Promise<SlotPermit> {
    abortSignal.throwIfAborted();
    const permit = this.tryReserveSlot();
    if (permit) return permit;
    await this.#queue.wait(abortSignal);
    return {};
  }

  tryReserveSlot(): SlotPermit | null {
    if (!this.#hasFree()) return null;
    this.#taken++;
    return {};
  }

  markSlotUsed({ slotInfo }: { readonly slotInfo: Use }): void {
    if (slotInfo.activityType !== HASHING) return;
    this.#hashing++;
    this.grant();
  }

  releaseSlot({ slotInfo }: { readonly slotInfo?: Use }): void {
    this.#taken--;
    if (slotInfo?.activityType === HASHING) this.#hashing--;
    this.grant();
  }

  #hasFree(): boolean {
    const slots = this.#slots();
    return this.#taken - Math.min(this.#hashing, slots) < slots;
  }

  /** Gives free slots to waiting tasks. */
  grant(): void {
    while (this.#hasFree() && this.#queue.next()) this.#taken++;
  }
}

/** Of a transfer worker. */
export function transferTuner(slots: TransferSlots): WorkerTuner {
  // A transfer worker has no workflows and none of the others; a tuner must name them all.
  const none = { type: 'fixed-size', numSlots: 1 } as const;
  return {
    activityTaskSlotSupplier: slots,
    workflowTaskSlotSupplier: none,
    localActivityTaskSlotSupplier: none,
    nexusTaskSlotSupplier: none,
  };
}
