/** One entry of a container's listing. */
export interface ListedSource {
  /** Within the container, with `/` between its segments. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Unix milliseconds, with fractions. */
  readonly mtimeMs: number;
  /** From the source's reader (see `SourceInfo.fingerprint`). */
  readonly fingerprint: string;
  /** Differs if the source can have changed. Unlike the fingerprint, it remains the same after a move. */
  readonly version: string;
  /**
   * Change time and inode of a local file (see `identitiesOf`). If only this differs, the content can be other content, so
   * the MD5 decides. Undefined for other sources, whose version covers the content.
   */
  readonly change?: string;
}

/** By code units, which is the same everywhere. */
export function comparePaths(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Compares entries by their paths. */
export function byPath(one: { readonly path: string }, other: { readonly path: string }): number {
  return comparePaths(one.path, other.path);
}
