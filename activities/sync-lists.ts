import { createHash } from 'node:crypto';
import type { PlannedUpload, PlanSyncInput, SyncTotals } from '../src/contracts/activities.ts';
import { FailureType } from '../src/contracts/failures.ts';
import type { RememberedFile, SyncDecision, SyncMemory, SyncProblem } from '../src/contracts/sync.ts';
import { stillWritten, tooNew } from '../src/core/postponed.ts';
import { sourceWithin } from '../src/core/source-within.ts';
import { syncFileName, syncFileNameProblem } from '../src/core/sync-file-name.ts';
import { memoryProblemOf } from '../src/core/sync-memory-shape.ts';
import { SyncPlan, type Gone, type ListedSource, type Verdict } from '../src/core/sync-plan.ts';
import { LonghaulError, SourceChangedError } from '../src/errors.ts';
import type { UploadsClient } from '../src/openai/uploads-client.ts';
import { hashSource } from '../src/sources/hash-source.ts';
import type { Listing } from '../src/sources/listing.ts';
import type { Sources } from '../src/sources/sources.ts';
import { createPathFilter } from '../src/sources/path-filter.ts';
import { listDestination } from './list-destination.ts';
import { unpackMemory } from './sync-memory.ts';
import { typeOf } from './to-application-failure.ts';

const MAX_PROBLEMS = 100;
const MAX_FORGOTTEN = 5000;

/** What is to be done for one path. */
export type SyncWork =
  | { readonly path: string; readonly upload: PlannedUpload }
  | { readonly path: string; readonly recognised: RememberedFile };

/** Both sides of a sync as they were at one time, and what follows from that. */
export interface SyncLists {
  readonly totals: SyncTotals;
  /** In the order of their paths, as all lists here. */
  readonly work: readonly SyncWork[];
  readonly decisions: readonly SyncDecision[];
  readonly forget: readonly string[];
  /** Why nothing may be deleted. */
  readonly deletionsHeld: string | null;
  /** Files whose source is deleted, by this memory (undefined: by that of the lists, and the recognised files). */
  readonly gone: (memory: SyncMemory | null | undefined) => Promise<Gone>;
  /** About what it takes to keep them. */
  readonly entries: number;
}

export interface ListContext {
  readonly client: UploadsClient;
  readonly sources: Sources;
  readonly signal: AbortSignal;
}

/** Lists both sides and decides about every source. Sources are read only where their md5 decides. */
export async function makeSyncLists(
  { scope, memory }: Pick<PlanSyncInput, 'scope' | 'memory'>,
  { client, sources, signal }: ListContext,
): Promise<SyncLists> {
  const filter = createPathFilter(scope.include, scope.exclude);
  const listing = await sources.list(scope.source, { filter, signal });
  const { files, unreadableRows } = await listDestination(client, scope, { signal });
  const remembered = await unpackMemory(scope, memory ?? null);
  const plan = new SyncPlan(files, remembered.entries);

  const problems: SyncProblem[] = [...listing.problems];
  const postponed: SyncProblem[] = [];
  const { minAgeMs = 0 } = scope;
  const newestMs = Date.now() - minAgeMs;
  const work: SyncWork[] = [];
  const decisions: SyncDecision[] = [];
  const recognised: RememberedFile[] = [];
  const pathByName = new Map<string, string>();
  for (const source of listing.entries) {
    const filename = syncFileName(scope.prefix, source.path);
    const problem = nameProblem(source.path, filename, pathByName);
    if (problem) {
      problems.push(problem);
      continue;
    }
    try {
      const { path } = source;
      const judged = plan.judge(source, filename);
      // A new file that was sent already is the same all the same.
      if (minAgeMs > 0 && source.mtimeMs > newestMs && judged?.decision.action !== 'skip') {
        postponed.push(tooNew(path, minAgeMs));
        continue;
      }
      const verdict = judged ?? (await settle(plan, source, filename, { scope, sources, signal }));
      decisions.push(verdict.decision);
      if (verdict.decision.action === 'upload') work.push({ path, upload: toUpload(source, filename) });
      else if (verdict.remember) {
        work.push({ path, recognised: verdict.remember });
        recognised.push(verdict.remember);
      }
    } catch (error) {
      if (signal.aborted || !(error instanceof LonghaulError)) throw error;
      if (error instanceof SourceChangedError) postponed.push(stillWritten(source.path));
      else problems.push({ path: source.path, failureType: typeOf(error), message: error.message });
    }
  }

  const present = new Set([...listing.entries, ...listing.problems, ...listing.leftOut].map(({ path }) => path));
  const unseen = new Set(listing.unseen);
  // A file that the globs leave out is not gone: this run is not about it.
  const isPresent = (path: string) => present.has(path) || isBelow(path, unseen) || !filter.takes(path);
  return {
    totals: {
      ...totalsOf(listing, decisions, problems),
      ...(postponed.length > 0
        ? { postponed: postponed.slice(0, MAX_PROBLEMS), postponedCount: postponed.length }
        : {}),
      ...(unreadableRows > 0 ? { unreadableRows } : {}),
      ...(remembered.problem === undefined ? {} : { memoryProblem: memoryProblemOf(remembered.problem) }),
    },
    work,
    decisions,
    forget: plan.forgettable(isPresent).slice(0, MAX_FORGOTTEN),
    deletionsHeld: reasonToHold(listing, unreadableRows),
    gone: async (latest) => {
      const query = { isListed: isPresent, nameOf: (path: string) => syncFileName(scope.prefix, path) };
      if (latest === undefined) return plan.gone({ ...query, recognised });
      return new SyncPlan(files, (await unpackMemory(scope, latest)).entries).gone(query);
    },
    entries: listing.entries.length + files.length + remembered.entries.length,
  };
}

/** What a link that may not be followed leads to could be there still. */
function isBelow(path: string, folders: ReadonlySet<string>): boolean {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    if (folders.has(path.slice(0, end))) return true;
  }
  return false;
}

function nameProblem(path: string, filename: string, pathByName: Map<string, string>): SyncProblem | undefined {
  const wrong = syncFileNameProblem(filename);
  if (wrong) return { path, failureType: FailureType.SourceUnusable, message: wrong };
  const other = pathByName.get(filename);
  pathByName.set(filename, other ?? path);
  if (other === undefined) return undefined;
  const message = `its File would have the name ${filename}, as that of ${other}; rename one of them`;
  return { path, failureType: FailureType.SourceUnusable, message };
}

async function settle(
  plan: SyncPlan,
  listed: ListedSource,
  filename: string,
  { scope, sources, signal }: Pick<ListContext, 'sources' | 'signal'> & Pick<PlanSyncInput, 'scope'>,
): Promise<Verdict> {
  const { path, fingerprint, sizeBytes } = listed;
  const source = sourceWithin(scope.source, path);
  const outcome = await hashSource(sources, { source, fingerprint, sizeBytes, signal });
  if (!('md5' in outcome)) throw new Error('hashing stopped without being asked to');
  return plan.settle(listed, filename, outcome.md5);
}

function toUpload(source: ListedSource, filename: string): PlannedUpload {
  const { path, sizeBytes, fingerprint, version } = source;
  const key = createHash('sha256')
    .update(JSON.stringify([path, fingerprint, filename]))
    .digest('hex')
    .slice(0, 16);
  return { path, filename, sizeBytes, fingerprint, version, key };
}

/** An unmounted folder looks like one whose files are all gone. */
function reasonToHold({ entries, isComplete }: Listing, unreadableRows: number): string | null {
  if (!isComplete) return 'a part of the source could not be listed';
  if (unreadableRows === 1) return '1 row of the files list cannot be read';
  if (unreadableRows > 1) return `${unreadableRows} rows of the files list cannot be read`;
  if (entries.length === 0) return 'the source holds no file, as an unmounted folder does';
  return null;
}

function totalsOf(
  { entries, leftOut }: Listing,
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
    problems: problems.slice(0, MAX_PROBLEMS),
    leftOut: leftOut.slice(0, MAX_PROBLEMS),
    problemCount: problems.length,
    leftOutCount: leftOut.length,
  };
}
