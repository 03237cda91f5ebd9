import type { SyncDigest, SyncScope } from '../../src/contracts/plan-sync.ts';
import type { RememberedFile, SyncProblem, UnmatchedGlob } from '../../src/contracts/sync.ts';
import { FailureType } from '../../src/contracts/failures.ts';
import { PayloadLimits, type DestinationLimits } from '../../src/contracts/limits.ts';
import { jsonBytes, takeWithin } from '../../src/core/payload.ts';
import { stillWritten, tooNew } from '../../src/core/sync/reports.ts';
import { sourceWithin } from '../../src/core/source/names.ts';
import { nameSources, syncFileName, syncFileNameProblem, type NamedSource } from '../../src/core/sync/file-name.ts';
import { byPath, type ListedSource } from '../../src/core/sync/listed-source.ts';
import type { SyncPlan, Verdict } from '../../src/core/sync/plan.ts';
import { LonghaulError, SourceArchivedError, SourceChangedError } from '../../src/errors.ts';
import { hashSource } from '../../src/sources/digest/digest-source.ts';
import { limitProblem, withinLimits, type Listing } from '../../src/sources/listing/listing.ts';
import type { Sources } from '../../src/sources/sources.ts';
import type { WatchedFilter } from '../../src/sources/listing/path-filter.ts';
import { ListedPaths } from './listed-paths.ts';
import { entryOf, listsOf, type Sides, type SyncLists } from './lists.ts';
import { SyncReads, type ReadContext } from './reads.ts';
import { isOfSource, wholeSourceProblem } from '../source-scope.ts';
import { typeOf } from '../failures.ts';

/** The folder or bucket itself cannot be read. */
class WholeSource extends Error {}

/** Entries of packed lists that need about the memory of one object. */
const PACKED_ENTRIES = 4;

/**
 * Decides about every source of a sync. Sources are read only if the decision depends on their MD5: `readOn`
 * reads for a limited time. When none is `left`, `lists` returns all decisions.
 */
export class SyncComparison {
  /** As in `ListsWanted`. */
  readonly generation: number;
  unmatchedGlobs: readonly UnmatchedGlob[] = [];
  readonly #scope: SyncScope;
  readonly #sides: Sides;
  readonly #filter: WatchedFilter;
  readonly #plan: SyncPlan;
  readonly #paths: ListedPaths;
  /** Whether unchanged files are only counted, so that a sync of many files needs little memory. */
  readonly #countsSame: boolean;
  readonly #newestMs: number;
  #listing: Listing | undefined;
  #same = 0;
  /** All sources, or those that are not only counted. In the order of their paths after `complete`. */
  #named: NamedSource[] = [];
  #unread: NamedSource[] = [];
  /** Whether a source has the name of an earlier one, so that all must be compared in order. */
  hasSameNames = false;
  readonly #problems: SyncProblem[] = [];
  readonly #postponed: SyncProblem[] = [];
  readonly #postponedSizes = new Set<number>();
  readonly #leftOut: SyncProblem[] = [];
  readonly #verdicts = new Map<NamedSource, Verdict>();
  #reads: SyncReads<NamedSource> | undefined;
  #lists: SyncLists | undefined;

  /** @param countsSame whether unchanged files are only counted */
  constructor(scope: SyncScope, filter: WatchedFilter, sides: Sides, countsSame: boolean) {
    this.generation = sides.generation;
    this.#scope = scope;
    this.#sides = sides;
    this.#filter = filter;
    this.#countsSame = countsSame;
    this.#plan = sides.plan;
    this.#paths = new ListedPaths();
    this.#newestMs = Date.now() - (scope.minAgeMs ?? 0);
  }

  /** Approximate size in memory, in entries of lists. */
  get entries(): number {
    const { files, remembered } = this.#sides;
    const entries = this.#paths.amount.files + files.files.length + remembered.count;
    return this.#countsSame ? Math.ceil(entries / PACKED_ENTRIES) : entries;
  }

  add(source: ListedSource, limits: DestinationLimits): void {
    const filename = syncFileName(this.#scope.prefix, source.path);
    let message = limitProblem(source, limits, this.#scope.purpose);
    if (message === undefined) {
      if (!this.#paths.add(source, filename)) this.hasSameNames = true;
      message = syncFileNameProblem(filename);
    }
    if (message !== undefined) {
      this.#problems.push({ path: source.path, failureType: FailureType.SourceUnusable, message });
    } else if (this.#countsSame && this.#plan.isUnchanged(source, filename)) this.#same++;
    else this.#judge({ ...source, filename });
  }

  /** @param listing with all sources that were not added yet */
  complete(listing: Listing, limits: DestinationLimits, sources: Sources): this {
    // Now, because paths of the memory are filtered later.
    this.unmatchedGlobs = takeWithin(this.#filter.unmatched(), { bytes: PayloadLimits.report }).taken;
    const sized = withinLimits(listing, limits, this.#scope.purpose);
    const { named, problems } = nameSources(sized.entries, this.#scope.prefix);
    for (const source of sized.entries) this.#paths.add(source, syncFileName(this.#scope.prefix, source.path));
    for (const source of named) this.#judge(source);
    this.#problems.push(...sized.problems, ...problems);
    this.#problems.sort(byPath);
    this.#leftOut.push(...sized.leftOut);
    this.#listing = { ...sized, entries: [] };
    if (this.#countsSame) {
      this.#named.sort(byPath);
      this.#unread.sort(byPath);
    }
    const { source: container } = this.#scope;
    this.#reads = new SyncReads(this.#unread, async ({ path, fingerprint, sizeBytes }, options) => {
      const source = sourceWithin(container, path);
      try {
        return await hashSource(sources, { source, fingerprint, sizeBytes, ...options });
      } catch (error) {
        const whole = isOfSource(error) ? await wholeSourceProblem(sources, container, options.signal) : undefined;
        throw whole ? new WholeSource(whole.message, { cause: whole }) : error;
      }
    });
    this.#unread = [];
    return this;
  }

  #judge(source: NamedSource): void {
    const { minAgeMs = 0 } = this.#scope;
    const verdict = this.#plan.judge(source, source.filename);
    // A new file that was already sent is unchanged.
    const isTooNew = minAgeMs > 0 && source.mtimeMs > this.#newestMs && verdict?.decision.action !== 'skip';
    if (isTooNew) return this.#postpone(source, tooNew(source.path, minAgeMs));
    if (!verdict) this.#unread.push(source);
    else if (this.#isOnlyCounted(verdict)) return;
    else this.#verdicts.set(source, verdict);
    this.#named.push(source);
  }

  #isOnlyCounted({ decision, remember }: Verdict): boolean {
    if (!this.#countsSame || decision.why !== 'same' || remember) return false;
    this.#same++;
    return true;
  }

  /** Number of sources that are still to be read. */
  get left(): number {
    return this.#reads?.left ?? 0;
  }

  /** Digests that are not finished, for the next attempt. */
  get digests(): SyncDigest[] {
    return this.#reads?.digests ?? [];
  }

  /**
   * @returns content of the sources of this call that already exists at the destination. A sync with a manifest writes it
   * to the manifest instead
   */
  async readOn(context: ReadContext): Promise<RememberedFile[]> {
    const recognised: RememberedFile[] = [];
    let bytes = 0;
    const isFull = () => bytes >= PayloadLimits.batch;
    await this.#reads?.readOn({ ...context, isFull }, (source, outcome) => {
      if ('error' in outcome) {
        const { error } = outcome;
        // The sync waits, and the next call reads this source again.
        if (error instanceof WholeSource) throw error.cause;
        if (!(error instanceof LonghaulError)) throw error;
        const { path } = source;
        if (error instanceof SourceArchivedError) this.#leftOut.push(problemOf(path, error));
        else if (error instanceof SourceChangedError) this.#postpone(source, stillWritten(path));
        else this.#problems.push(problemOf(path, error));
        return;
      }
      const verdict = this.#plan.settle(source, source.filename, outcome.md5);
      if (this.#isOnlyCounted(verdict)) return;
      this.#verdicts.set(source, verdict);
      if (verdict.decision.action === 'skip' && verdict.remember) {
        recognised.push(this.#sides.manifest ? entryOf(source, verdict.remember) : verdict.remember);
        if (!this.#sides.manifest) bytes += jsonBytes(verdict.remember) + 1;
      }
    });
    if (!this.#sides.manifest) return recognised;
    await this.#sides.recorder?.recordSome(recognised, context.signal);
    return [];
  }

  /** Writes all results to the manifest, before the first file is sent. */
  async record(signal: AbortSignal): Promise<void> {
    const { recognised, forgettable } = this.lists();
    await this.#sides.recorder?.recordAll(recognised, forgettable, signal);
  }

  #postpone({ sizeBytes }: ListedSource, problem: SyncProblem): void {
    this.#postponed.push(problem);
    this.#postponedSizes.add(sizeBytes);
  }

  lists(): SyncLists {
    if (this.#lists) return this.#lists;
    const verdicts = this.#named.flatMap((source) => {
      const verdict = this.#verdicts.get(source);
      return verdict ? [{ source, verdict }] : [];
    });
    this.#lists = listsOf({
      scope: this.#scope,
      sides: this.#sides,
      listing: this.#listing as Listing,
      paths: this.#paths,
      same: this.#same,
      filter: this.#filter,
      unmatchedGlobs: this.unmatchedGlobs,
      verdicts,
      undecided: {
        problems: this.#problems,
        leftOut: this.#leftOut,
        postponed: this.#postponed.toSorted(byPath),
      },
      postponedSizes: this.#postponedSizes,
    });
    // All of them are in the lists now.
    this.#verdicts.clear();
    this.#named = [];
    return this.#lists;
  }
}

function problemOf(path: string, error: LonghaulError): SyncProblem {
  return { path, failureType: typeOf(error), message: error.message };
}
