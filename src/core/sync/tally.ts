import type { SyncChanges, SyncTotals } from '../../contracts/plan-sync.ts';
import { FailureType } from '../../contracts/failures.ts';
import { PayloadLimits } from '../../contracts/limits.ts';
import type { CarriedSync, SyncAmount, SyncCounts, SyncProblem, UnmatchedGlob } from '../../contracts/sync.ts';
import { jsonBytes } from '../payload.ts';
import { stillWritten } from './reports.ts';

/** Of a report; counts are exact all the same. */
const MAX_REPORTED = 100;

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

/** Entries of a report, as many as the result of the workflow can contain. */
class Report {
  readonly entries: SyncProblem[] = [];
  #bytes = 0;

  constructor(carried: readonly SyncProblem[] = []) {
    this.add(...carried);
  }

  add(...problems: readonly SyncProblem[]): void {
    for (const problem of problems) {
      if (this.entries.length >= MAX_REPORTED) return;
      const bytes = this.#bytes + jsonBytes(problem) + 1;
      if (bytes > PayloadLimits.report) return;
      this.#bytes = bytes;
      this.entries.push(problem);
    }
  }
}

/** The actions of a sync so far, and its problems. */
export class SyncTally {
  readonly #counts: Mutable<SyncCounts> & { postponed: number };
  readonly #problems: Report;
  readonly #leftOut: Report;
  readonly #postponed: Report;
  #unmatchedGlobs: readonly UnmatchedGlob[];
  #uploadsFailed: number;

  constructor(carried?: CarriedTally) {
    this.#counts = { ...nothing, ...carried?.counts };
    this.#problems = new Report(carried?.problems);
    this.#leftOut = new Report(carried?.leftOut);
    this.#postponed = new Report(carried?.postponed);
    this.#unmatchedGlobs = carried?.unmatchedGlobs ?? [];
    this.#uploadsFailed = carried?.uploadsFailed ?? 0;
  }

  get counts(): SyncCounts {
    return { ...this.#counts };
  }

  get firstProblem(): SyncProblem | undefined {
    return this.#problems.entries[0];
  }

  get uploadsFailed(): number {
    return this.#uploadsFailed;
  }

  /** Adds the results of the listings. */
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
    this.#problems.add(...problems);
    this.#leftOut.add(...leftOut);
    this.#postponed.add(...postponed);
  }

  /** Adds the results of new listings for files that were not started. */
  relisted({ same, knownContent, added, dropped, ...found }: SyncChanges): void {
    const { listed, toSend } = this.#counts;
    this.#counts.listed = plus(listed, added);
    this.#counts.toSend = plus(plus(toSend, added), dropped, -1);
    this.#counts.same += same;
    this.#counts.knownContent += knownContent;
    this.#counts.failed += found.problemCount;
    this.#uploadsFailed += found.problemCount;
    this.#counts.leftOut += found.leftOutCount;
    this.#counts.postponed += found.postponedCount ?? 0;
    this.#problems.add(...found.problems);
    this.#leftOut.add(...found.leftOut);
    this.#postponed.add(...(found.postponed ?? []));
  }

  sent(bytes: number): void {
    const { sent } = this.#counts;
    this.#counts.sent = { files: sent.files + 1, bytes: sent.bytes + bytes };
  }

  uploadFailed(problem: SyncProblem): void {
    this.#uploadsFailed++;
    this.failed(problem);
  }

  /** A file whose upload closed without a File. */
  notSent(problem: SyncProblem): void {
    const { path, failureType } = problem;
    if (failureType === FailureType.SourceChanged) this.postponed(stillWritten(path));
    else if (failureType === FailureType.SourceArchived) this.leftOut(problem);
    else this.uploadFailed(problem);
  }

  failed(problem: SyncProblem): void {
    this.#counts.failed++;
    this.#problems.add(problem);
  }

  /** A file that cannot become a File, as its upload showed. */
  leftOut(problem: SyncProblem): void {
    this.#counts.leftOut++;
    this.#leftOut.add(problem);
  }

  /** A file that the next run sends. */
  postponed(problem: SyncProblem): void {
    this.#counts.postponed++;
    this.#postponed.add(problem);
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
      problems: [...this.#problems.entries],
      leftOut: [...this.#leftOut.entries],
      postponed: [...this.#postponed.entries],
      unmatchedGlobs: this.#unmatchedGlobs,
      uploadsFailed: this.#uploadsFailed,
    };
  }
}

function plus(one: SyncAmount, other: SyncAmount, sign: 1 | -1 = 1): SyncAmount {
  return { files: one.files + sign * other.files, bytes: one.bytes + sign * other.bytes };
}
