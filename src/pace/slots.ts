import type { ActivitySlotInfo, CustomSlotSupplier, SlotPermit, WorkerTuner } from '@temporalio/worker';
import type { TransferActivities } from '../contracts/activities.ts';
import { Queue } from './window.ts';

type Use = ActivitySlotInfo;

const HASHING: keyof TransferActivities = 'hashSource';

/**
 * Slots for parts, and the same number of additional slots for MD5s. An MD5 sends nothing and takes long for a large file:
 * the MD5s of some uploads that start at the same time would use every slot, and no part would be sent.
 *
 * The use of a slot is known only when its task arrives. Therefore, an MD5 releases its slot for parts when it starts. MD5s
 * that exceed their own number keep theirs.
 */
export class TransferSlots implements CustomSlotSupplier<Use> {
  readonly type = 'custom';
  readonly #slots: () => number;
  readonly #queue = new Queue();
  /** Reserved or used. */
  #taken = 0;
  #hashing = 0;

  /** @param slots maximum parts, and maximum MD5s, at the same time. Call `grant` if the value of a function has changed. */
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

export function transferTuner(slots: TransferSlots): WorkerTuner {
  // A transfer worker has no other tasks, but a tuner must name them all.
  const none = { type: 'fixed-size', numSlots: 1 } as const;
  return {
    activityTaskSlotSupplier: slots,
    workflowTaskSlotSupplier: none,
    localActivityTaskSlotSupplier: none,
    nexusTaskSlotSupplier: none,
  };
}
