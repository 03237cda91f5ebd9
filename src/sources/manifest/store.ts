/** Undefined if no manifest exists. */
export type ManifestContent = AsyncIterable<Uint8Array> | undefined;

/** Returns the new content. */
export type Rewrite = (content: ManifestContent) => AsyncIterable<string>;

/** A place for the memory of a sync: a file, or an object of a bucket. */
export interface ManifestStore {
  /** Path or URL, for messages. */
  readonly name: string;
  /** Checks that it can be written, as far as this is possible without a change of its content. */
  prepare(signal: AbortSignal): Promise<void>;
  /** Reads the newest content. */
  read<T>(use: (content: ManifestContent) => Promise<T>, signal: AbortSignal): Promise<T>;
  /**
   * Replaces the whole content atomically: a reader finds either the old or the new content. If another writer was
   * faster, it calls `rewrite` again with the content of that writer.
   */
  update(rewrite: Rewrite, signal: AbortSignal): Promise<void>;
}
