import { ApplicationFailure } from '@temporalio/common';
import type {
  PlanSyncHeartbeat,
  PlanSyncInput,
  PlanSyncResult,
  SyncBatch,
  SyncTotals,
  TransferActivities,
} from '../src/contracts/activities.ts';
import { FailureType } from '../src/contracts/failures.ts';
import { PayloadLimits } from '../src/contracts/limits.ts';
import type { SyncDecision } from '../src/contracts/sync.ts';
import { describeHeld } from '../src/core/sync/reports.ts';
import { takeWithin } from '../src/core/payload.ts';
import { globListProblem } from '../src/core/glob/glob.ts';
import { comparePaths } from '../src/core/sync/plan.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runAttempt, type Attempt } from './attempt.ts';
import { SyncListsCache } from './sync/lists-cache.ts';
import { SyncComparison, type SyncLists } from './sync/lists.ts';

/**
 * What a sync has to do, batch by batch. The lists of both sides are made once and kept for the run; where they are
 * not (another worker, a long pause) they are made anew, from the memory that the caller gives then.
 */
export function createPlanSync(dependencies: ActivityDependencies): TransferActivities['planSync'] {
  const cache = new SyncListsCache();
  return (input) => {
    let comparison: SyncComparison | undefined;
    const plan = async ({ signal, lastBeat }: Attempt<PlanSyncHeartbeat>): Promise<PlanSyncResult> => {
      // A caller can pass the plan ID of another sync.
      const key = JSON.stringify([input.planId, input.scope]);
      comparison = cache.get(key);
      if (!comparison) {
        if (input.memory === undefined) return { type: 'memory-needed', packFirst: true };
        assertGlobs(input);
        const client = dependencies.destination(input.scope.destination);
        comparison = await SyncComparison.of(input, { client, sources: dependencies.sources, signal });
        cache.set(key, comparison);
      }
      while (comparison.left > 0) {
        const recognised = await comparison.readOn({ signal, digests: lastBeat?.digests });
        if (input.acceptsReading && comparison.left > 0) {
          return { type: 'reading', recognised, left: comparison.left };
        }
      }
      const lists = comparison.lists();
      if (input.phase === 'uploads') return uploadBatch(lists, input);
      return input.phase === 'deletions' ? deletionBatch(lists, input) : dryRun(lists, input);
    };
    return runAttempt(plan, () => ({ digests: comparison?.digests ?? [] }));
  };
}

/** Whoever started the workflow by its name has passed no client that checks them. */
function assertGlobs({ scope }: PlanSyncInput): void {
  const { include, exclude } = scope;
  const problems = Object.entries({ include, exclude }).flatMap(([name, globs]) => {
    const problem = globListProblem(globs);
    return problem === undefined ? [] : [`"${name}" ${problem}`];
  });
  if (problems.length > 0) throw ApplicationFailure.nonRetryable(problems.join('; '), FailureType.InvalidRequest);
}

const empty = {
  type: 'batch',
  uploads: [],
  recognised: [],
  deletions: [],
  hasDeletions: false,
  deletionCount: 0,
  deletionsHeld: null,
  decisions: [],
  decisionsOmitted: 0,
  forget: [],
  next: null,
  packsEarly: true,
} as const;

async function uploadBatch(lists: SyncLists, input: PlanSyncInput): Promise<SyncBatch> {
  const { work, forget } = lists;
  const { after, limit } = input;
  const { batch, next } = sliceOf(work, after, limit);
  const learnsNothing = input.delete && after === null && work.length === 0;
  return {
    ...(learnsNothing ? await deletionBatch(lists, input) : empty),
    totals: after === null ? totalsWithGlobs(lists) : lists.totals,
    uploads: batch.flatMap((one) => ('upload' in one ? [one.upload] : [])),
    recognised: batch.flatMap((one) => ('recognised' in one ? [one.recognised] : [])),
    forget: after === null ? forget : [],
    ...(learnsNothing ? {} : { next }),
  };
}

async function deletionBatch(lists: SyncLists, { after, limit, memory }: PlanSyncInput): Promise<SyncBatch> {
  const { totals, deletionsHeld } = lists;
  if (deletionsHeld !== null) return { ...empty, totals, hasDeletions: true, deletionsHeld };
  // The memory tells here what this very run has learnt: a File that was recognised under another path is not gone.
  const gone = await lists.gone(memory ?? null);
  const { batch: deletions, next } = sliceOf(gone.deletions, after, limit);
  return {
    ...empty,
    totals,
    deletions,
    hasDeletions: true,
    deletionCount: gone.deletions.length,
    // The workflow stops deleting at a reason, so it comes with the last batch.
    deletionsHeld: next === null ? describeHeld(gone.held) : null,
    next,
  };
}

async function dryRun(lists: SyncLists, input: PlanSyncInput): Promise<SyncBatch> {
  const { deletionsHeld } = lists;
  const gone = input.delete && deletionsHeld === null ? await lists.gone(undefined) : { deletions: [], held: [] };
  const deletions = gone.deletions.map(({ path, fileId, expected: { filename, bytes } }): SyncDecision => ({
    action: 'delete',
    why: 'gone',
    path,
    filename,
    bytes,
    fileId,
  }));
  const rank = ({ action, why }: SyncDecision) => (action === 'skip' ? (why === 'same' ? 2 : 1) : 0);
  const all = [...lists.decisions, ...deletions].toSorted((a, b) => rank(a) - rank(b) || comparePaths(a.path, b.path));
  const { taken: decisions } = takeWithin(all, { bytes: PayloadLimits.decisions });
  return {
    ...empty,
    totals: totalsWithGlobs(lists),
    deletionsHeld: input.delete ? (deletionsHeld ?? describeHeld(gone.held)) : null,
    deletionCount: deletions.length,
    decisions,
    decisionsOmitted: all.length - decisions.length,
  };
}

function totalsWithGlobs({ totals, unmatchedGlobs }: SyncLists): SyncTotals {
  return unmatchedGlobs.length > 0 ? { ...totals, unmatchedGlobs } : totals;
}

/** The next few by path that fit. Places are paths, not numbers, so that the place is found in lists that were made again. */
export function sliceOf<T extends { readonly path: string }>(
  sorted: readonly T[],
  after: string | null,
  limit: number,
): { batch: readonly T[]; next: string | null } {
  const first = after === null ? 0 : sorted.findIndex(({ path }) => comparePaths(path, after) > 0);
  if (first === -1) return { batch: [], next: null };
  const following = sorted.slice(first, first + limit);
  const { taken } = takeWithin(following, { bytes: PayloadLimits.batch });
  // One at least, so that each batch leads to the next.
  const batch = taken.length === 0 ? following.slice(0, 1) : taken;
  const isLast = first + batch.length >= sorted.length;
  return { batch, next: isLast ? null : (batch.at(-1)?.path ?? null) };
}
