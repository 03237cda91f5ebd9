import type { ListsWanted, SyncBatch } from '../../src/contracts/plan-sync.ts';
import type { CarriedSync } from '../../src/contracts/sync.ts';

type Carried = NonNullable<CarriedSync['lists']>;

/** The newest lists of a sync, which several workers can have created. */
export class NewestLists {
  #planned: string | undefined;
  #generation: number;
  #atLeast: number;

  constructor({ planned, generation, atLeast }: Carried = { generation: 0, atLeast: 0 }) {
    this.#planned = planned;
    this.#generation = generation;
    this.#atLeast = atLeast;
  }

  /** All uploads, as the worker packed them; undefined before the first lists. */
  get planned(): string | undefined {
    return this.#planned;
  }

  get wanted(): ListsWanted {
    return { generation: this.#generation, atLeast: this.#atLeast };
  }

  /** Input for a call that creates lists. */
  anew(): ListsWanted {
    this.#generation++;
    return this.wanted;
  }

  took({ planned, relisted, generation = 0 }: SyncBatch): void {
    this.#planned = planned ?? this.#planned;
    if (relisted) this.#atLeast = generation;
  }

  /** State for the next execution, without the uploads if they do not fit. */
  within(bytes: number): Carried {
    const planned = (this.#planned?.length ?? 0) <= bytes ? this.#planned : undefined;
    return { ...this.wanted, planned };
  }
}
