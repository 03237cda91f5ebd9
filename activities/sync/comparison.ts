import type { PlanSyncInput, SyncDigest, SyncScope } from '../../src/contracts/plan-sync.ts';
import type { RememberedFile, SyncProblem, UnmatchedGlob } from '../../src/contracts/sync.ts';
import { PayloadLimits } from '../../src/contracts/limits.ts';
import { jsonBytes, takeWithin } from '../../src/core/payload.ts';
import { stillWritten, tooNew } from '../../src/core/sync/reports.ts';
import { sourceWithin } from '../../src/core/source/names.ts';
import { nameSources, type NamedSource } from '../../src/core/sync/file-name.ts';
import { comparePaths, SyncPlan, type ListedSource, type Verdict } from '../../src/core/sync/plan.ts';
import { LonghaulError, SourceArchivedError, SourceChangedError } from '../../src/errors.ts';
import type { Destination } from '../../src/destinations/port.ts';
import { hashSource } from '../../src/sources/digest/digest-source.ts';
import { withinLimits, type Listing } from '../../src/sources/listing/listing.ts';
import type { Sources } from '../../src/sources/sources.ts';
import { createPathFilter, type PathFilter } from '../../src/sources/listing/path-filter.ts';
import { listDestination, type DestinationList } from './list-destination.ts';
import { entryOf, listsOf, type SyncLists } from './lists.ts';
import { SyncManifest } from './manifest/manifest.ts';
import { withoutManifest } from './manifest/own-files.ts';
import { ManifestRecorder } from './manifest/recorder.ts';
import { unpackMemory, type UnpackedMemory } from './memory.ts';
import { SyncReads, type ReadContext } from './reads.ts';
import { isOfSource, wholeSourceProblem } from '../source-scope.ts';
import { typeOf } from '../failures.ts';

/** The folder or bucket itself cannot be read. */
class WholeSource extends Error {
  override readonly cause: Error;

  constructor(cause: Error) {
    super(cause.message);
    this.cause = cause;
  }
}

export interface ListContext {
  readonly client: Destination;
  readonly sources: Sources;
  readonly signal: AbortSignal;
}

/**
 * Lists both sides and decides about every source. Sources are read only if the decision depends on their MD5: `readOn`
 * reads for a limited time. When none is `left`, `lists` returns all decisions.
 */
export class SyncComparison {
  /** Approximate size in memory. */
  readonly entries: number;
  /** As in `ListsWanted`. */
  readonly generation: number;
  readonly unmatchedGlobs: readonly UnmatchedGlob[];
  readonly #scope: SyncScope;
  readonly #listing: Listing;
  readonly #files: DestinationList;
  readonly #remembered: UnpackedMemory;
  readonly #manifest: SyncManifest | undefined;
  readonly #recorder: ManifestRecorder | undefined;
  readonly #filter: PathFilter;
  readonly #plan: SyncPlan;
  readonly #named: readonly NamedSource[];
  readonly #problems: SyncProblem[];
  readonly #postponed: SyncProblem[] = [];
  readonly #postponedSizes = new Set<number>();
  readonly #leftOut: SyncProblem[];
  readonly #verdicts = new Map<NamedSource, Verdict>();
  readonly #reads: SyncReads<NamedSource>;
  #lists: SyncLists | undefined;

  private constructor(
    scope: SyncScope,
    filter: PathFilter,
    sides: {
      readonly listing: Listing;
      readonly files: DestinationList;
      readonly remembered: UnpackedMemory;
      readonly unmatchedGlobs: readonly UnmatchedGlob[];
      readonly generation: number;
      readonly manifest: SyncManifest | undefined;
      readonly recorder: ManifestRecorder | undefined;
    },
    sources: Sources,
  ) {
    const { listing, files, remembered } = sides;
    this.unmatchedGlobs = sides.unmatchedGlobs;
    this.generation = sides.generation;
    this.#scope = scope;
    this.#filter = filter;
    this.#listing = listing;
    this.#files = files;
    this.#remembered = remembered;
    this.#manifest = sides.manifest;
    this.#recorder = sides.recorder;
    this.entries = listing.entries.length + files.files.length + remembered.entries.length;
    this.#plan = new SyncPlan(files.files, remembered.entries, scope);
    const { named, problems } = nameSources(listing.entries, scope.prefix);
    this.#named = named;
    this.#problems = [...listing.problems, ...problems];
    this.#leftOut = [...listing.leftOut];
    const { minAgeMs = 0 } = scope;
    const newestMs = Date.now() - minAgeMs;
    const unread = named.filter((one) => {
      const verdict = this.#plan.judge(one, one.filename);
      // A new file that was already sent is unchanged.
      const isTooNew = minAgeMs > 0 && one.mtimeMs > newestMs && verdict?.decision.action !== 'skip';
      if (isTooNew) this.#postpone(one, tooNew(one.path, minAgeMs));
      else if (verdict) this.#verdicts.set(one, verdict);
      return !isTooNew && !verdict;
    });
    this.#reads = new SyncReads(unread, async ({ path, fingerprint, sizeBytes }, options) => {
      const source = sourceWithin(scope.source, path);
      try {
        return await hashSource(sources, { source, fingerprint, sizeBytes, ...options });
      } catch (error) {
        const whole = isOfSource(error) ? await wholeSourceProblem(sources, scope.source, options.signal) : undefined;
        throw whole ? new WholeSource(whole) : error;
      }
    });
  }

  static async of(
    {
      scope,
      memory,
      lists,
      phase,
    }: { readonly scope: SyncScope } & Partial<Pick<PlanSyncInput, 'memory' | 'lists' | 'phase'>>,
    { client, sources, signal }: ListContext,
  ): Promise<SyncComparison> {
    const store = scope.manifest && (await sources.manifest(scope.manifest));
    // Before anything is sent. A dry run creates no object.
    const isDryRun = phase === 'dry-run';
    if (!isDryRun) await store?.prepare(signal);
    const manifest = store && new SyncManifest(store, scope);
    const filter = createPathFilter(scope.include, scope.exclude);
    const listed = withoutManifest(await sources.list(scope.source, { filter, signal }), scope);
    const listing = withinLimits(listed, client.limits(scope.purpose), scope.purpose);
    // Kept, because paths of the memory are filtered later.
    const { taken: unmatchedGlobs } = takeWithin(filter.unmatched(), { bytes: PayloadLimits.report });
    const files = await listDestination(client, scope, { signal });
    const rows = (await manifest?.read(signal)) ?? [];
    // The first run with a manifest adds the memory of the last run to it.
    const remembered = rows.length > 0 ? { entries: rows } : await unpackMemory(scope, memory ?? null);
    const generation = lists?.generation ?? 0;
    const recorder =
      manifest && !isDryRun
        ? new ManifestRecorder(manifest, files.files, rows.length > 0 ? [] : remembered.entries)
        : undefined;
    const sides = { listing, files, remembered, unmatchedGlobs, generation, manifest, recorder };
    return new SyncComparison(scope, filter, sides, sources);
  }

  /** Number of sources that are still to be read. */
  get left(): number {
    return this.#reads.left;
  }

  /** Digests that are not finished, for the next attempt. */
  get digests(): SyncDigest[] {
    return this.#reads.digests;
  }

  /**
   * @returns content of the sources of this call that already exists at the destination. A sync with a manifest writes it
   * to the manifest instead
   */
  async readOn(context: ReadContext): Promise<RememberedFile[]> {
    const recognised: RememberedFile[] = [];
    let bytes = 0;
    const isFull = () => bytes >= PayloadLimits.batch;
    await this.#reads.readOn({ ...context, isFull }, (source, outcome) => {
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
      this.#verdicts.set(source, verdict);
      if (verdict.decision.action === 'skip' && verdict.remember) {
        recognised.push(this.#manifest ? entryOf(source, verdict.remember) : verdict.remember);
        if (!this.#manifest) bytes += jsonBytes(verdict.remember) + 1;
      }
    });
    if (!this.#manifest) return recognised;
    await this.#recorder?.recordSome(recognised, context.signal);
    return [];
  }

  /** Writes all results to the manifest, before the first file is sent. */
  async record(signal: AbortSignal): Promise<void> {
    const { recognised, forgettable } = this.lists();
    await this.#recorder?.recordAll(recognised, forgettable, signal);
  }

  #postpone({ sizeBytes }: ListedSource, problem: SyncProblem): void {
    this.#postponed.push(problem);
    this.#postponedSizes.add(sizeBytes);
  }

  /** All decisions. */
  lists(): SyncLists {
    return (this.#lists ??= listsOf({
      scope: this.#scope,
      listing: this.#listing,
      files: this.#files,
      remembered: this.#remembered,
      filter: this.#filter,
      plan: this.#plan,
      manifest: this.#manifest,
      generation: this.generation,
      unmatchedGlobs: this.unmatchedGlobs,
      verdicts: this.#named.flatMap((source) => {
        const verdict = this.#verdicts.get(source);
        return verdict ? [{ source, verdict }] : [];
      }),
      undecided: {
        problems: this.#problems,
        leftOut: this.#leftOut,
        postponed: this.#postponed.toSorted((a, b) => comparePaths(a.path, b.path)),
      },
      postponedSizes: this.#postponedSizes,
    }));
  }
}

function problemOf(path: string, error: LonghaulError): SyncProblem {
  return { path, failureType: typeOf(error), message: error.message };
}
