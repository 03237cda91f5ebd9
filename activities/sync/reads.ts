import type { HashSourceResult } from '../../src/contracts/activities.ts';
import type { HashCheckpoint } from '../../src/contracts/content.ts';
import type { SyncDigest } from '../../src/contracts/plan-sync.ts';

/** Maximum number of reads at the same time. More would compete with running uploads for the disk and the CPUs. */
const READS_AT_A_TIME = 4;

/** Maximum time until a result is recorded in the workflow, which then shows the number of remaining sources. */
const READ_FOR_MS = 20_000;
const READS_A_CALL = 500;

export interface ReadContext {
  readonly signal: AbortSignal;
  /** Digests that an earlier attempt did not finish. @defaultValue none */
  readonly digests?: readonly SyncDigest[] | undefined;
  /** Returns whether this call must stop reading. @defaultValue never */
  readonly isFull?: () => boolean;
}

export interface ReadOptions {
  readonly signal: AbortSignal;
  readonly resumeFrom?: HashCheckpoint;
  readonly onCheckpoint: (checkpoint: HashCheckpoint) => void;
}

/** Called for each source with its MD5, or with the error of its read, which it can throw. */
type Settle<Source> = (source: Source, outcome: { md5: string } | { error: unknown }) => void;

/** Reads sources for their MD5, a few at the same time, in calls of limited duration. */
export class SyncReads<Source extends { readonly path: string }> {
  readonly #waiting: Source[];
  readonly #read: (source: Source, options: ReadOptions) => Promise<HashSourceResult>;
  readonly #digests = new Map<string, HashCheckpoint>();
  #inFlight = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(sources: readonly Source[], read: (source: Source, options: ReadOptions) => Promise<HashSourceResult>) {
    this.#waiting = [...sources];
    this.#read = read;
  }

  get left(): number {
    return this.#waiting.length + this.#inFlight;
  }

  /** Digests that are not finished. */
  get digests(): SyncDigest[] {
    return [...this.#digests].map(([path, checkpoint]) => ({ path, checkpoint }));
  }

  /**
   * Reads for a limited time, or until none is left. The next call repeats a read that failed or was aborted. Calls run one
   * after the other, because an attempt that timed out in Temporal can still be reading.
   */
  readOn(context: ReadContext, settle: Settle<Source>) {
    const turn = this.#turn.then(() => this.#readOn(context, settle));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #readOn({ signal, digests = [], isFull = () => false }: ReadContext, settle: Settle<Source>): Promise<void> {
    for (const { path, checkpoint } of digests) {
      const isWaiting = this.#waiting.some((source) => source.path === path);
      if (isWaiting && !this.#digests.has(path)) this.#digests.set(path, checkpoint);
    }
    const untilMs = performance.now() + READ_FOR_MS;
    const failed = new AbortController();
    const stop = AbortSignal.any([signal, failed.signal]);
    let begun = 0;
    const reader = async () => {
      while (begun < READS_A_CALL && !isFull() && performance.now() < untilMs && !stop.aborted) {
        const source = this.#waiting.shift();
        if (!source) return;
        begun++;
        this.#inFlight++;
        try {
          if (!(await this.#settled(source, stop, settle))) this.#waiting.unshift(source);
        } catch (error) {
          this.#waiting.unshift(source);
          failed.abort();
          throw error;
        } finally {
          this.#inFlight--;
        }
      }
    };
    const readers = await Promise.allSettled(Array.from({ length: READS_AT_A_TIME }, reader));
    signal.throwIfAborted();
    for (const outcome of readers) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** @returns false if it was aborted */
  async #settled(source: Source, signal: AbortSignal, settle: Settle<Source>): Promise<boolean> {
    const { path } = source;
    const resumeFrom = this.#digests.get(path);
    const onCheckpoint = (checkpoint: HashCheckpoint) => this.#digests.set(path, checkpoint);
    try {
      const result = await this.#read(source, { signal, onCheckpoint, resumeFrom });
      if (!('md5' in result)) {
        onCheckpoint(result.checkpoint);
        return false;
      }
      settle(source, result);
    } catch (error) {
      if (signal.aborted) throw error;
      settle(source, { error });
    }
    this.#digests.delete(path);
    return true;
  }
}
