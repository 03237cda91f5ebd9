import { AutoConcurrency } from '../core/adaptive-concurrency.ts';
import { PartPlaces } from './part-places.ts';
import { TransferSlots } from './transfer-slots.ts';

/**
 * Slots of a worker that follow what its destinations take. A slot is reserved before anybody knows for which
 * destination; so there are as many as all that are in use have places, and a part may have to wait for its own in one.
 */
export class AutoSlots {
  readonly #places: PartPlaces[] = [];
  readonly #slots: TransferSlots[] = [];

  readonly createPlaces = (): PartPlaces => {
    const places = new PartPlaces(() => {
      for (const slots of this.#slots) slots.grant();
    });
    this.#places.push(places);
    return places;
  };

  createSlots(): TransferSlots {
    const slots = new TransferSlots(() => this.#count);
    this.#slots.push(slots);
    return slots;
  }

  get #count(): number {
    const inUse = this.#places.filter(({ isInUse }) => isInUse);
    return inUse.length === 0 ? AutoConcurrency.start : inUse.reduce((sum, { count }) => sum + count, 0);
  }
}
