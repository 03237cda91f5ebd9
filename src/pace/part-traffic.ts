import { setTimeout } from 'node:timers/promises';
import { AutoConcurrency, type ConcurrencyBounds } from '../core/pace/adaptive-concurrency.ts';
import { mostPartsUnder, RateLimit } from '../core/pace/rate-limit.ts';
import { PartPlaces } from './part-places.ts';
import { TransferSlots } from './slots.ts';

export interface PartTrafficOptions {
  /** Parts at a time; undefined: what each destination takes best. */
  readonly slots?: number | undefined;
  /** Of all parts together. @defaultValue none */
  readonly limitBytesPerSecond?: number | undefined;
}

/** How many parts a worker sends at a time, and how fast all of them together. */
export class PartTraffic {
  /** Of all destinations: an activity can send many small files in one slot. */
  readonly #fixedPlaces: PartPlaces | undefined;
  readonly #bounds: ConcurrencyBounds;
  readonly #limit: RateLimit;
  readonly #places: PartPlaces[] = [];
  readonly #slots: TransferSlots[] = [];

  constructor({ slots, limitBytesPerSecond }: PartTrafficOptions) {
    const most = limitBytesPerSecond === undefined ? Infinity : mostPartsUnder(limitBytesPerSecond);
    const { floor, start, ceiling } =
      slots === undefined ? AutoConcurrency : { floor: 1, start: slots, ceiling: slots };
    this.#bounds = { floor, start: Math.min(start, most), ceiling: Math.min(ceiling, most) };
    this.#limit = new RateLimit(limitBytesPerSecond);
    if (slots === undefined) return;
    const count = this.#bounds.start;
    this.#fixedPlaces = new PartPlaces({ floor: count, start: count, ceiling: count }, () => {});
  }

  /** For one destination. */
  readonly createPlaces = (): PartPlaces => {
    if (this.#fixedPlaces) return this.#fixedPlaces;
    const places = new PartPlaces(this.#bounds, () => {
      for (const slots of this.#slots) slots.grant();
    });
    this.#places.push(places);
    return places;
  };

  /** For one task queue. */
  createSlots(): TransferSlots {
    const slots = new TransferSlots(() => this.#fixedPlaces?.count ?? this.#placesInUse);
    this.#slots.push(slots);
    return slots;
  }

  /** Waits until so many bytes more may go; undefined: at once. */
  readonly pace = (bytes: number): Promise<void> | undefined => {
    const waitMs = this.#limit.take(bytes, performance.now());
    return waitMs > 0 ? setTimeout(waitMs, undefined, { ref: false }) : undefined;
  };

  /**
   * A slot is reserved before anybody knows for which destination; so there are as many as all that are in use have
   * places, and a part may have to wait for its own in one.
   */
  get #placesInUse(): number {
    const inUse = this.#places.filter(({ isInUse }) => isInUse);
    return inUse.length === 0 ? this.#bounds.start : inUse.reduce((sum, { count }) => sum + count, 0);
  }
}
