import type { SyncScope, SyncTotals } from '../../src/contracts/plan-sync.ts';
import type { PlannedUpload } from '../../src/contracts/batch.ts';
import type {
  ForgottenFile,
  RememberedFile,
  SyncDecision,
  SyncMemory,
  SyncProblem,
  UnmatchedGlob,
  SyncAmount,
} from '../../src/contracts/sync.ts';
import { PayloadLimits } from '../../src/contracts/limits.ts';
import { clipMessage } from '../../src/core/text/clip.ts';
import { nameKey } from '../../src/core/text/name-form.ts';
import { takeWithin } from '../../src/core/payload.ts';
import { withoutInode } from '../../src/core/upload/fingerprint.ts';
import { syncFileName, type NamedSource } from '../../src/core/sync/file-name.ts';
import { memoryProblemOf } from '../../src/core/sync/memory-shape.ts';
import { SyncPlan, type Verdict } from '../../src/core/sync/plan.ts';
import type { Gone } from '../../src/core/sync/gone.ts';
import type { ListedSource } from '../../src/core/sync/listed-source.ts';
import { jsonDigest } from '../../src/json-digest.ts';
import type { Listing } from '../../src/sources/listing/listing.ts';
import type { PathFilter } from '../../src/sources/listing/path-filter.ts';
import type { ListedPaths } from './listed-paths.ts';
import type { DestinationList } from './list-destination.ts';
import type { SyncManifest } from './manifest/manifest.ts';
import type { ManifestRecorder } from './manifest/recorder.ts';
import { sourceOf } from './manifest/rows.ts';
import { unpackMemory } from './memory.ts';
import { packedRows } from './memory-rows.ts';

const MAX_REPORTED = 100;
const MAX_FORGOTTEN = 5000;

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
  /** Without unchanged files that are only counted. */
  readonly decisions: readonly SyncDecision[];
  readonly isListed: (path: string) => boolean;
  /** All files without a decision. */
  readonly undecided: Readonly<Record<'problems' | 'leftOut' | 'postponed', readonly SyncProblem[]>>;
  readonly forget: readonly string[];
  /** Results for the manifest of the sync, if it has one. They are then not in `work` and `forget`. */
  readonly recognised: readonly RememberedFile[];
  readonly forgettable: readonly ForgottenFile[];
  /** Reason for which nothing is deleted. */
  readonly deletionsHeld: string | null;
  /** Files of deleted sources, according to this memory (undefined: that of the lists, and the recognised files). */
  readonly gone: (memory: SyncMemory | null | undefined, signal: AbortSignal) => Promise<Gone>;
}

/** The memory of the last run, as in `UnpackedMemory`. */
export interface Remembered {
  readonly count: number;
  readonly problem?: string;
}

/** Both sides of a sync, without the listing of the source. */
export interface Sides {
  readonly files: DestinationList;
  readonly remembered: Remembered;
  readonly generation: number;
  /** @defaultValue the memory is in Temporal */
  readonly manifest?: SyncManifest;
  /** @defaultValue none for a dry run */
  readonly recorder?: ManifestRecorder | undefined;
  readonly plan: SyncPlan;
}

/** All that a comparison knows after it has judged every source. */
interface Compared {
  readonly scope: SyncScope;
  readonly sides: Sides;
  /** Without its entries. */
  readonly listing: Listing;
  readonly paths: ListedPaths;
  /** Unchanged files without a verdict. */
  readonly same: number;
  readonly filter: PathFilter;
  readonly unmatchedGlobs: readonly UnmatchedGlob[];
  /** In the order of the paths. */
  readonly verdicts: readonly { readonly source: NamedSource; readonly verdict: Verdict }[];
  readonly undecided: SyncLists['undecided'];
  /** Sizes of the sources that are postponed. */
  readonly postponedSizes: ReadonlySet<number>;
}

export function listsOf({ scope, sides, listing, paths, filter, verdicts, undecided, ...rest }: Compared): SyncLists {
  const { remembered, plan, manifest, generation } = sides;
  const { prefix } = scope;
  const { files, unreadableRows } = sides.files;
  const { problems, leftOut, postponed } = undecided;
  const work: SyncWork[] = [];
  const decisions: SyncDecision[] = [];
  const recognised: RememberedFile[] = [];
  for (const { source, verdict } of verdicts) {
    decisions.push(verdict.decision);
    const { path } = source;
    if (verdict.decision.action === 'upload') work.push({ path, upload: toUpload(source, scope) });
    else if (verdict.remember) {
      const entry = manifest ? entryOf(source, verdict.remember) : verdict.remember;
      if (!manifest) work.push({ path, recognised: entry });
      recognised.push(entry);
    }
  }
  const others = new Set([...problems, ...leftOut].map(({ path }) => nameKey(path)));
  const unseen = new Set(listing.unseen.map(nameKey));
  // A file that the globs exclude is outside this run, and does not count as deleted.
  const isPresent = (path: string) =>
    paths.has(path) || others.has(nameKey(path)) || isBelow(nameKey(path), unseen) || !filter.takes(path);
  const forgettable = plan.forgettable(isPresent);
  const forgotten = manifest ? [] : forgettable.map(({ path }) => path);
  return {
    totals: {
      ...totalsOf({ listed: paths.amount, same: rest.same, leftOut }, decisions, problems),
      ...(postponed.length > 0 ? { postponed: reported(postponed), postponedCount: postponed.length } : {}),
      ...(unreadableRows > 0 ? { unreadableRows } : {}),
      ...(remembered.problem === undefined ? {} : { memoryProblem: memoryProblemOf(remembered.problem) }),
    },
    unmatchedGlobs: rest.unmatchedGlobs,
    generation,
    work,
    decisions,
    undecided,
    recognised,
    forgettable,
    forget: takeWithin(forgotten, { bytes: PayloadLimits.forgotten, count: MAX_FORGOTTEN }).taken,
    deletionsHeld: reasonToHold(listing, paths.amount, unreadableRows),
    isListed: (path) => paths.has(path),
    gone: async (latest, signal) => {
      const nameOf = (path: string) => syncFileName(prefix, path);
      const from = manifest && sourceOf(scope);
      const query = { isListed: isPresent, nameOf, postponedSizes: rest.postponedSizes, from };
      if (latest === undefined) return plan.gone({ ...query, recognised });
      const now = new SyncPlan(files, [], {}, packedRows());
      const remember = (row: RememberedFile) => now.remember(row);
      if (manifest) await manifest.read(remember, signal);
      else (await unpackMemory(scope, latest)).entries.forEach(remember);
      // Lists that were created again can contain a file that was moved in the meantime. The next run sends or recognises it.
      const unsent = work.flatMap((one) =>
        'upload' in one && now.versionOf(one.path) !== one.upload.version ? [one.upload.sizeBytes] : [],
      );
      const postponedSizes = new Set([...rest.postponedSizes, ...unsent]);
      return now.gone({ ...query, postponedSizes });
    },
  };
}

/** The version of an object is not its time. */
export function entryOf({ mtimeMs, change }: ListedSource, entry: RememberedFile): RememberedFile {
  return change === undefined ? { ...entry, mtimeMs } : entry;
}

/** Returns the first entries of a list for the report. The counts remain exact. */
export function reported(problems: readonly SyncProblem[]): readonly SyncProblem[] {
  const lines = problems
    .slice(0, MAX_REPORTED)
    .map(({ path, failureType, message }) => ({ path, failureType, message: clipMessage(message) }));
  return takeWithin(lines, { bytes: PayloadLimits.report }).taken;
}

/** Whether a path is under a link that is not permitted, whose target can still exist. */
function isBelow(path: string, folders: ReadonlySet<string>): boolean {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    if (folders.has(path.slice(0, end))) return true;
  }
  return false;
}

function toUpload(source: NamedSource, { ignoreInode, manifest }: SyncScope): PlannedUpload {
  const { path, filename, sizeBytes, version, change } = source;
  const fingerprint = ignoreInode ? withoutInode(source.fingerprint) : source.fingerprint;
  const key = jsonDigest([path, fingerprint, filename], 16);
  const mtimeMs = manifest && change === undefined ? source.mtimeMs : undefined;
  return { path, filename, sizeBytes, fingerprint, version, change, mtimeMs, key };
}

/** Returns the reason for which no File is deleted: an unmounted folder appears as a folder without files. */
function reasonToHold({ isComplete }: Listing, { files }: SyncAmount, unreadableRows: number): string | null {
  if (!isComplete) return 'some of the source cannot be listed';
  if (unreadableRows === 1) return '1 row of the files list cannot be read';
  if (unreadableRows > 1) return `${unreadableRows} rows of the files list cannot be read`;
  if (files === 0) return 'the source contains no file, like an unmounted folder';
  return null;
}

function totalsOf(
  { listed, same, leftOut }: Pick<Compared, 'same'> & Pick<Listing, 'leftOut'> & { readonly listed: SyncAmount },
  decisions: readonly SyncDecision[],
  problems: readonly SyncProblem[],
): SyncTotals {
  const count = (why: SyncDecision['why']) => decisions.filter((decision) => decision.why === why).length;
  const toSend = decisions.filter(({ action }) => action === 'upload');
  const sum = (bytes: readonly number[]) => bytes.reduce((total, one) => total + one, 0);
  return {
    listed,
    same: same + count('same'),
    knownContent: count('known-content'),
    toSend: { files: toSend.length, bytes: sum(toSend.map(({ bytes }) => bytes)) },
    problems: reported(problems),
    leftOut: reported(leftOut),
    problemCount: problems.length,
    leftOutCount: leftOut.length,
  };
}
