import type { ForgottenFile, RememberedFile } from '../../../src/contracts/sync.ts';
import type { SyncManifest } from './manifest.ts';

/** Time between two writes. Each write replaces the whole manifest, so they take at most 5% of the time. */
const MIN_RECORD_AFTER_MS = 5000;
const RECORD_AFTER_WRITES = 20;

/** Writes the results of a comparison to the manifest of its sync. */
export class ManifestRecorder {
  readonly #manifest: SyncManifest;
  readonly #exists: (fileId: string) => boolean;
  /** Entries of the memory of the last run, which are not in the manifest yet. */
  readonly #earlier: readonly RememberedFile[];
  #waiting: RememberedFile[] = [];
  #recordedAtMs = performance.now();
  #recordAfterMs = MIN_RECORD_AFTER_MS;
  #isDone = false;

  /**
   * @param exists whether the service has a File
   * @param earlier memory of the last run, if no run has written the manifest
   */
  constructor(manifest: SyncManifest, exists: (fileId: string) => boolean, earlier: readonly RememberedFile[]) {
    this.#manifest = manifest;
    this.#exists = exists;
    this.#earlier = earlier.filter(({ fileId }) => exists(fileId));
  }

  /** Writes results from time to time, so that a sync that is killed does not read their sources again. */
  async recordSome(add: readonly RememberedFile[], signal: AbortSignal): Promise<void> {
    this.#waiting.push(...add);
    if (performance.now() - this.#recordedAtMs < this.#recordAfterMs) return;
    await this.#record(this.#waiting, [], signal);
    this.#waiting = [];
  }

  /** Writes all results, once. */
  async recordAll(
    add: readonly RememberedFile[],
    remove: readonly ForgottenFile[],
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#isDone) return;
    await this.#record([...this.#earlier, ...add], remove, signal);
    this.#waiting = [];
    this.#isDone = true;
  }

  async #record(add: readonly RememberedFile[], remove: readonly ForgottenFile[], signal: AbortSignal): Promise<void> {
    const startedAtMs = performance.now();
    await this.#manifest.record({ add, remove, exists: this.#exists }, signal);
    this.#recordedAtMs = performance.now();
    this.#recordAfterMs = Math.max(MIN_RECORD_AFTER_MS, RECORD_AFTER_WRITES * (this.#recordedAtMs - startedAtMs));
  }
}
