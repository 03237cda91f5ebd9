import { createHash } from 'node:crypto';
import type { PlannedUpload, PlanSyncInput, SyncDigest, SyncScope, SyncTotals } from '../../src/contracts/plan-sync.ts';
import { FailureType } from '../../src/contracts/failures.ts';
import type { RememberedFile, SyncDecision, SyncMemory, SyncProblem, UnmatchedGlob } from '../../src/contracts/sync.ts';
import { PayloadLimits } from '../../src/contracts/limits.ts';
import { clipMessage } from '../../src/core/text/clip.ts';
import { nameKey } from '../../src/core/text/name-form.ts';
import { jsonBytes, takeWithin } from '../../src/core/payload.ts';
import { stillWritten, tooNew } from '../../src/core/sync/reports.ts';
import { withoutInode } from '../../src/core/upload/fingerprint.ts';
import { sourceWithin } from '../../src/core/source/names.ts';
import { syncFileName, syncFileNameProblem } from '../../src/core/sync/file-name.ts';
import { memoryProblemOf } from '../../src/core/sync/memory-shape.ts';
import { comparePaths, SyncPlan, type Gone, type ListedSource, type Verdict } from '../../src/core/sync/plan.ts';
import { LonghaulError, SourceArchivedError, SourceChangedError } from '../../src/errors.ts';
import type { Destination } from '../../src/destinations/port.ts';
import { hashSource } from '../../src/sources/digest/digest-source.ts';
import { withinSize, type Listing } from '../../src/sources/listing/listing.ts';
import type { Sources } from '../../src/sources/sources.ts';
import { createPathFilter, type PathFilter } from '../../src/sources/listing/path-filter.ts';
import { listDestination, type DestinationList } from './list-destination.ts';
import { unpackMemory, type UnpackedMemory } from './memory.ts';
import { SyncReads, type ReadContext } from './reads.ts';
import { isOfSource, wholeSourceProblem } from '../source-scope.ts';
import { typeOf } from '../failures.ts';

const MAX_REPORTED = 100;
const MAX_FORGOTTEN = 5000;

/** Decision for one path. */
export type SyncWork =
  | { readonly path: string; readonly upload: PlannedUpload }
  | { readonly path: string; readonly recognised: RememberedFile };

/** Both sides of a sync at one time, with all decisions. */
export interface SyncLists {
  readonly totals: SyncTotals;
  readonly unmatchedGlobs: readonly UnmatchedGlob[];
  /** As in `ListsWanted`. */
  readonly generation: number;
  /** Sorted by path, like all lists here. */
  readonly work: readonly SyncWork[];
  readonly decisions: readonly SyncDecision[];
  /** All files without a decision. */
  readonly undecided: Readonly<Record<'problems' | 'leftOut' | 'postponed', readonly SyncProblem[]>>;
  readonly forget: readonly string[];
  /** Reason for which nothing is deleted. */
  readonly deletionsHeld: string | null;
  /** Files of deleted sources, according to this memory (undefined: that of the lists, and the recognised files). */
  readonly gone: (memory: SyncMemory | null | undefined) => Promise<Gone>;
}

/** A source with the name of its File. */
interface NamedSource extends ListedSource {
  readonly filename: string;
}

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
    this.entries = listing.entries.length + files.files.length + remembered.entries.length;
    this.#plan = new SyncPlan(files.files, remembered.entries, scope.ignoreInode);
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
    { scope, memory, lists }: { readonly scope: SyncScope } & Pick<PlanSyncInput, 'memory' | 'lists'>,
    { client, sources, signal }: ListContext,
  ): Promise<SyncComparison> {
    const filter = createPathFilter(scope.include, scope.exclude);
    const listed = await sources.list(scope.source, { filter, signal });
    const listing = withinSize(listed, client.limits(scope.purpose).maxFileBytes);
    // Kept, because paths of the memory are filtered later.
    const { taken: unmatchedGlobs } = takeWithin(filter.unmatched(), { bytes: PayloadLimits.report });
    const files = await listDestination(client, scope, { signal });
    const remembered = await unpackMemory(scope, memory ?? null);
    const generation = lists?.generation ?? 0;
    return new SyncComparison(scope, filter, { listing, files, remembered, unmatchedGlobs, generation }, sources);
  }

  /** Number of sources that are still to be read. */
  get left(): number {
    return this.#reads.left;
  }

  /** Digests that are not finished, for the next attempt. */
  get digests(): SyncDigest[] {
    return this.#reads.digests;
  }

  /** @returns content of the sources of this call that already exists at the destination */
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
        recognised.push(verdict.remember);
        bytes += jsonBytes(verdict.remember) + 1;
      }
    });
    return recognised;
  }

  #postpone({ sizeBytes }: ListedSource, problem: SyncProblem): void {
    this.#postponed.push(problem);
    this.#postponedSizes.add(sizeBytes);
  }

  /** All decisions. */
  lists(): SyncLists {
    return (this.#lists ??= this.#decide());
  }

  #decide(): SyncLists {
    const { unmatchedGlobs } = this;
    const [listing, plan, filter, { prefix, ignoreInode }] = [this.#listing, this.#plan, this.#filter, this.#scope];
    const { files, unreadableRows } = this.#files;
    const remembered = this.#remembered;
    const postponed = this.#postponed.toSorted((a, b) => comparePaths(a.path, b.path));
    const work: SyncWork[] = [];
    const decisions: SyncDecision[] = [];
    const recognised: RememberedFile[] = [];
    for (const source of this.#named) {
      const verdict = this.#verdicts.get(source);
      if (!verdict) continue;
      decisions.push(verdict.decision);
      const { path } = source;
      if (verdict.decision.action === 'upload')
        work.push({ path, upload: toUpload(source, source.filename, ignoreInode) });
      else if (verdict.remember) {
        work.push({ path, recognised: verdict.remember });
        recognised.push(verdict.remember);
      }
    }
    const listed = [...listing.entries, ...listing.problems, ...listing.leftOut];
    const present = new Set(listed.map(({ path }) => nameKey(path)));
    const unseen = new Set(listing.unseen.map(nameKey));
    // A file that the globs exclude is outside this run, and does not count as deleted.
    const isPresent = (path: string) =>
      present.has(nameKey(path)) || isBelow(nameKey(path), unseen) || !filter.takes(path);
    return {
      totals: {
        ...totalsOf({ entries: listing.entries, leftOut: this.#leftOut }, decisions, this.#problems),
        ...(postponed.length > 0 ? { postponed: reported(postponed), postponedCount: postponed.length } : {}),
        ...(unreadableRows > 0 ? { unreadableRows } : {}),
        ...(remembered.problem === undefined ? {} : { memoryProblem: memoryProblemOf(remembered.problem) }),
      },
      unmatchedGlobs,
      generation: this.generation,
      work,
      decisions,
      undecided: { problems: this.#problems, leftOut: this.#leftOut, postponed },
      forget: takeWithin(plan.forgettable(isPresent), { bytes: PayloadLimits.forgotten, count: MAX_FORGOTTEN }).taken,
      deletionsHeld: reasonToHold(listing, unreadableRows),
      gone: async (latest) => {
        const nameOf = (path: string) => syncFileName(prefix, path);
        const query = { isListed: isPresent, nameOf, postponedSizes: this.#postponedSizes };
        if (latest === undefined) return plan.gone({ ...query, recognised });
        const { entries } = await unpackMemory(this.#scope, latest);
        // Lists that were created again can contain a file that was moved in the meantime. The next run sends or recognises it.
        const sent = new Map(entries.map(({ path, version }) => [nameKey(path), version]));
        const unsent = work.flatMap((one) =>
          'upload' in one && sent.get(nameKey(one.path)) !== one.upload.version ? [one.upload.sizeBytes] : [],
        );
        const postponedSizes = new Set([...this.#postponedSizes, ...unsent]);
        return new SyncPlan(files, entries).gone({ ...query, postponedSizes });
      },
    };
  }
}

/** Returns the first entries of a list for the report. The counts remain exact. */
export function reported(problems: readonly SyncProblem[]): readonly SyncProblem[] {
  const lines = problems.slice(0, MAX_REPORTED).map((one) => ({ ...one, message: clipMessage(one.message) }));
  return takeWithin(lines, { bytes: PayloadLimits.report }).taken;
}

function problemOf(path: string, error: LonghaulError): SyncProblem {
  return { path, failureType: typeOf(error), message: error.message };
}

/** Whether a path is under a link that is not permitted, whose target can still exist. */
function isBelow(path: string, folders: ReadonlySet<string>): boolean {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    if (folders.has(path.slice(0, end))) return true;
  }
  return false;
}

/** Sets the File name of each source, and reports sources whose name is invalid or in use. */
function nameSources(entries: readonly ListedSource[], prefix: string) {
  const named: NamedSource[] = [];
  const problems: SyncProblem[] = [];
  const pathByName = new Map<string, string>();
  for (const { path } of entries) {
    const filename = syncFileName(prefix, path);
    const other = pathByName.get(filename);
    // Sorted, so that of two paths that differ only in their form, the same path always gets the name.
    if (other === undefined || (nameKey(other) === nameKey(path) && nameKey(path) === path)) {
      pathByName.set(filename, path);
    }
  }
  for (const source of entries) {
    const { path } = source;
    const filename = syncFileName(prefix, path);
    const other = pathByName.get(filename) as string;
    const message = syncFileNameProblem(filename) ?? (other === path ? undefined : nameInUse(filename, path, other));
    if (message === undefined) named.push({ ...source, filename });
    else problems.push({ path, failureType: FailureType.SourceUnusable, message });
  }
  return { named, problems };
}

function nameInUse(filename: string, path: string, other: string): string {
  if (nameKey(path) === nameKey(other)) {
    return `its name differs from that of another file only in its Unicode form (${formOf(path)}, ${formOf(other)}), so both Files would have the same name. Rename one of them`;
  }
  return `its File would have the same name as that of ${other} (${filename}). Rename one of them`;
}

function formOf(path: string): string {
  if (path === path.normalize('NFC')) return 'NFC';
  return path === path.normalize('NFD') ? 'NFD' : 'mixed';
}

function toUpload(source: ListedSource, filename: string, ignoreInode = false): PlannedUpload {
  const { path, sizeBytes, version, change } = source;
  const fingerprint = ignoreInode ? withoutInode(source.fingerprint) : source.fingerprint;
  const key = createHash('sha256')
    .update(JSON.stringify([path, fingerprint, filename]))
    .digest('hex')
    .slice(0, 16);
  return { path, filename, sizeBytes, fingerprint, version, change, key };
}

/** Returns the reason for which no File is deleted: an unmounted folder appears as a folder without files. */
function reasonToHold({ entries, isComplete }: Listing, unreadableRows: number): string | null {
  if (!isComplete) return 'some of the source cannot be listed';
  if (unreadableRows === 1) return '1 row of the files list cannot be read';
  if (unreadableRows > 1) return `${unreadableRows} rows of the files list cannot be read`;
  if (entries.length === 0) return 'the source contains no file, like an unmounted folder';
  return null;
}

function totalsOf(
  { entries, leftOut }: Pick<Listing, 'entries' | 'leftOut'>,
  decisions: readonly SyncDecision[],
  problems: readonly SyncProblem[],
): SyncTotals {
  const count = (why: SyncDecision['why']) => decisions.filter((decision) => decision.why === why).length;
  const toSend = decisions.filter(({ action }) => action === 'upload');
  const sum = (bytes: readonly number[]) => bytes.reduce((total, one) => total + one, 0);
  return {
    listed: { files: entries.length, bytes: sum(entries.map(({ sizeBytes }) => sizeBytes)) },
    same: count('same'),
    knownContent: count('known-content'),
    toSend: { files: toSend.length, bytes: sum(toSend.map(({ bytes }) => bytes)) },
    problems: reported(problems),
    leftOut: reported(leftOut),
    problemCount: problems.length,
    leftOutCount: leftOut.length,
  };
}
