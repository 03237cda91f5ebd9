import type { SyncComparison } from './comparison.ts';

/** Usually longer than the time between two batches of a running sync. */
const KEEP_MS = 5 * 60_000;

/** Sources and Files of all lists together; about 100 MiB. */
const MAX_ENTRIES = 400_000;

/** The lists of the runs that this worker planned recently. */
export class SyncListsCache {
  /** Least recently used first. */
  readonly #kept = new Map<string, { readonly lists: SyncComparison; readonly timer: NodeJS.Timeout }>();

  get(planId: string): SyncComparison | undefined {
    const lists = this.#kept.get(planId)?.lists;
    if (lists) this.set(planId, lists);
    return lists;
  }

  /** Keeps the lists of a run, unless they are larger than the limit of the cache. */
  set(planId: string, lists: SyncComparison): void {
    this.#drop(planId);
    if (lists.entries > MAX_ENTRIES) return;
    const timer = setTimeout(() => this.#drop(planId), KEEP_MS).unref();
    this.#kept.set(planId, { lists, timer });
    let entries = [...this.#kept.values()].reduce((sum, kept) => sum + kept.lists.entries, 0);
    for (const [oldest, kept] of this.#kept) {
      if (entries <= MAX_ENTRIES) return;
      entries -= kept.lists.entries;
      this.#drop(oldest);
    }
  }

  #drop(planId: string): void {
    clearTimeout(this.#kept.get(planId)?.timer);
    this.#kept.delete(planId);
  }
}
