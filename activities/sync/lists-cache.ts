import type { SyncComparison } from './lists.ts';

/** Longer than two batches of a running sync are apart, mostly. */
const KEEP_MS = 5 * 60_000;

/** Sources and Files of all lists together; about 100 MiB. */
const MAX_ENTRIES = 400_000;

/** The lists of the runs that this worker planned lately. */
export class SyncListsCache {
  /** Least lately used first. */
  readonly #kept = new Map<string, { readonly lists: SyncComparison; readonly timer: NodeJS.Timeout }>();

  get(planId: string): SyncComparison | undefined {
    const lists = this.#kept.get(planId)?.lists;
    if (lists) this.set(planId, lists);
    return lists;
  }

  /** Keeps the lists of a run, unless they are larger than all that may be kept. */
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
