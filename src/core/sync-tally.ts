import type { SyncTotals } from '../contracts/activities.ts';
import type { CarriedSync, SyncCounts, SyncProblem, UnmatchedGlob } from '../contracts/sync.ts';

/** A result has to fit into one payload of Temporal; counts are exact all the same. */
const MAX_PROBLEMS = 100;

type CarriedTally = Pick<
  CarriedSync,
  'counts' | 'problems' | 'leftOut' | 'postponed' | 'unmatchedGlobs' | 'uploadsFailed'
>;
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const nothing = {
  listed: { files: 0, bytes: 0 },
  same: 0,
  knownContent: 0,
  toSend: { files: 0, bytes: 0 },
  sent: { files: 0, bytes: 0 },
  failed: 0,
  leftOut: 0,
  postponed: 0,
  toDelete: 0,
  deleted: 0,
} satisfies SyncCounts;

/** What a sync has done so far, and what went wrong. */
export class SyncTally {
  readonly #counts: Mutable<SyncCounts> & { postponed: number };
  readonly #problems: SyncProblem[];
  readonly #leftOut: SyncProblem[];
  readonly #postponed: SyncProblem[];
  #unmatchedGlobs: readonly UnmatchedGlob[];
  #uploadsFailed: number;

  constructor(carried?: CarriedTally) {
    this.#counts = { ...nothing, ...carried?.counts };
    this.#problems = [...(carried?.problems ?? [])];
    this.#leftOut = [...(carried?.leftOut ?? [])];
    this.#postponed = [...(carried?.postponed ?? [])];
    this.#unmatchedGlobs = carried?.unmatchedGlobs ?? [];
    this.#uploadsFailed = carried?.uploadsFailed ?? 0;
  }

  get counts(): SyncCounts {
    return { ...this.#counts };
  }

  get firstProblem(): SyncProblem | undefined {
    return this.#problems[0];
  }

  get uploadsFailed(): number {
    return this.#uploadsFailed;
  }

  /** Takes what the listings showed. */
  begin({
    listed,
    same,
    knownContent,
    toSend,
    problems,
    problemCount,
    leftOut,
    leftOutCount,
    postponed = [],
    postponedCount = 0,
    ...more
  }: SyncTotals): void {
    Object.assign(this.#counts, { listed, same, knownContent, toSend, failed: problemCount, leftOut: leftOutCount });
    this.#counts.postponed = postponedCount;
    this.#unmatchedGlobs = more.unmatchedGlobs ?? [];
    if (more.unreadableRows) this.#counts.unreadableRows = more.unreadableRows;
    this.#problems.push(...problems.slice(0, MAX_PROBLEMS));
    this.#leftOut.push(...leftOut.slice(0, MAX_PROBLEMS));
    this.#postponed.push(...postponed.slice(0, MAX_PROBLEMS));
  }

  sent(bytes: number): void {
    const { sent } = this.#counts;
    this.#counts.sent = { files: sent.files + 1, bytes: sent.bytes + bytes };
  }

  uploadFailed(problem: SyncProblem): void {
    this.#uploadsFailed++;
    this.failed(problem);
  }

  failed(problem: SyncProblem): void {
    this.#counts.failed++;
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(problem);
  }

  /** A file that no File can be made of, as its upload showed. */
  leftOut(problem: SyncProblem): void {
    this.#counts.leftOut++;
    if (this.#leftOut.length < MAX_PROBLEMS) this.#leftOut.push(problem);
  }

  /** A file that the next run sends. */
  postponed(problem: SyncProblem): void {
    this.#counts.postponed++;
    if (this.#postponed.length < MAX_PROBLEMS) this.#postponed.push(problem);
  }

  toDelete(files: number): void {
    this.#counts.toDelete = files;
  }

  deleted(): void {
    this.#counts.deleted++;
  }

  toJSON(): CarriedTally {
    return {
      counts: this.counts,
      problems: [...this.#problems],
      leftOut: [...this.#leftOut],
      postponed: [...this.#postponed],
      unmatchedGlobs: this.#unmatchedGlobs,
      uploadsFailed: this.#uploadsFailed,
    };
  }
}
