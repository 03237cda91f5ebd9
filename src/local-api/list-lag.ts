/** The lag of a files list: a new File appears only after this time and this number of lists. */
interface Lag {
  readonly listLagMs: number;
  /** Lists that do not show it. */
  readonly listLagRequests: number;
}

interface Hidden {
  readonly fromMs: number;
  requests: number;
}

/** The Files that a list does not show yet, as at services whose list is eventually consistent. Lost at a restart. */
export class ListLag {
  readonly #hidden = new Map<string, Hidden>();

  added(fileId: string, { listLagMs, listLagRequests }: Lag, nowMs: number): void {
    if (listLagMs > 0 || listLagRequests > 0)
      this.#hidden.set(fileId, { fromMs: nowMs + listLagMs, requests: listLagRequests });
  }

  /** Makes a list of all Files. It counts for each File that it does not show. */
  list<F extends { readonly id: string }>(files: readonly F[], nowMs: number): F[] {
    return files.filter(({ id }) => {
      const hidden = this.#hidden.get(id);
      if (!hidden) return true;
      if (hidden.requests <= 0 && nowMs >= hidden.fromMs) return this.#hidden.delete(id);
      hidden.requests--;
      return false;
    });
  }
}
