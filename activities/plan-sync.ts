import { planSyncHeartbeat } from '../src/core/shape/heartbeats.ts';
import type { TransferActivities } from '../src/contracts/activities.ts';
import type {
  PlanSyncHeartbeat,
  PlanSyncInput,
  PlanSyncResult,
  SyncBatch,
  SyncScope,
  SyncTotals,
} from '../src/contracts/plan-sync.ts';
import { PayloadLimits } from '../src/contracts/limits.ts';
import { syncRequest } from '../src/contracts/requests/sync.ts';
import type { FullSyncRequest, SyncDecision } from '../src/contracts/sync.ts';
import { nameOfContainer } from '../src/core/source/names.ts';
import { syncScope } from '../src/core/sync/plan.ts';
import { byPath, comparePaths } from '../src/core/sync/listed-source.ts';
import { describeHeld } from '../src/core/sync/reports.ts';
import { takeWithin } from '../src/core/payload.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runAttempt, type Attempt } from './attempt.ts';
import { firstCall, type Known } from './first-call.ts';
import { SyncListsCache } from './sync/lists-cache.ts';
import type { SyncComparison } from './sync/comparison.ts';
import { createComparison } from './sync/create-comparison.ts';
import type { SyncLists } from './sync/lists.ts';
import { changesOf, packPlanned } from './sync/planned.ts';

/**
 * Plans a sync, batch by batch. The lists of both sides are created once and kept for the run. If a worker does not have
 * them (another worker, a long pause), it creates them again with the memory of the caller.
 */
export function createPlanSync(dependencies: ActivityDependencies): TransferActivities['planSync'] {
  const cache = new SyncListsCache();
  return ({ request, ...input }) => {
    let comparison: SyncComparison | undefined;
    const plan = async (
      scope: SyncScope,
      { signal, lastBeat }: Attempt<PlanSyncHeartbeat>,
    ): Promise<PlanSyncResult> => {
      // Any caller can pass the plan ID of another sync.
      const key = JSON.stringify([input.planId, scope]);
      comparison = cache.get(key);
      if (!comparison || !isWanted(comparison, input)) {
        if (input.memory === undefined) return { type: 'memory-needed', packFirst: true };
        const client = dependencies.destination(scope.destination);
        comparison = await createComparison({ ...input, scope }, { client, sources: dependencies.sources, signal });
        cache.set(key, comparison);
      }
      while (comparison.left > 0) {
        const recognised = await comparison.readOn({ signal, digests: lastBeat?.digests });
        if (input.acceptsReading && comparison.left > 0) {
          return { type: 'reading', recognised, left: comparison.left };
        }
      }
      const lists = comparison.lists();
      await comparison.record(signal);
      if (input.phase === 'uploads') return uploadBatch(lists, input, signal);
      return input.phase === 'deletions' ? deletionBatch(lists, input, signal) : dryRun(lists, input, signal);
    };
    const run = async (attempt: Attempt<PlanSyncHeartbeat>): Promise<PlanSyncResult> => {
      if (input.scope) return plan(input.scope, attempt);
      const call = async (full: FullSyncRequest) => ({ result: await plan(syncScope(full), attempt) });
      const first = { schema: syncRequest, input: request, complete };
      const { result, ...admitted } = await firstCall(first, attempt, dependencies, call);
      return { ...result, admitted };
    };
    return runAttempt(run, () => ({ digests: comparison?.digests ?? [] }), planSyncHeartbeat);
  };
}

function complete(request: FullSyncRequest): Known<FullSyncRequest> {
  const { source, purpose, destination, upload } = request;
  const subject = { filename: nameOfContainer(source), purpose, destination };
  const { giveUpAfterMs, partSizeBytes } = upload;
  return { request, subject, giveUpAfterMs, partSizeBytes };
}

/** Lists that are compared with planned uploads must be new. */
function isWanted({ generation }: SyncComparison, { lists, plannedBefore }: PlanSyncInput): boolean {
  if (plannedBefore !== undefined) return generation === lists?.generation;
  return generation >= (lists?.atLeast ?? 0);
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

async function uploadBatch(lists: SyncLists, input: PlanSyncInput, signal: AbortSignal): Promise<SyncBatch> {
  const { work, forget } = lists;
  const { after, limit, plannedBefore } = input;
  const { batch, next } = sliceOf(work, after, limit);
  const relisted = plannedBefore === undefined ? undefined : await changesOf(plannedBefore, after, lists);
  const isFirst = after === null && plannedBefore === undefined;
  const learnsNothing = input.delete && after === null && work.length === 0;
  return {
    ...(learnsNothing ? await deletionBatch(lists, input, signal) : empty),
    totals: after === null ? totalsWithGlobs(lists) : lists.totals,
    uploads: batch.flatMap((one) => ('upload' in one ? [one.upload] : [])),
    recognised: batch.flatMap((one) => ('recognised' in one ? [one.recognised] : [])),
    forget: after === null ? forget : [],
    planned: isFirst || relisted ? await packPlanned(work) : undefined,
    relisted,
    generation: lists.generation,
    ...(learnsNothing ? {} : { next }),
  };
}

async function deletionBatch(
  lists: SyncLists,
  { after, limit, memory }: PlanSyncInput,
  signal: AbortSignal,
): Promise<SyncBatch> {
  const { totals, deletionsHeld } = lists;
  if (deletionsHeld !== null) return { ...empty, totals, hasDeletions: true, deletionsHeld };
  // Uses the results of this run: the source of a File that was recognised under another path is not deleted.
  const gone = await lists.gone(memory ?? null, signal);
  const { batch: deletions, next } = sliceOf(gone.deletions, after, limit);
  return {
    ...empty,
    totals,
    deletions,
    hasDeletions: true,
    deletionCount: gone.deletions.length,
    // Only in the last batch, because the workflow stops deleting if it receives a reason.
    deletionsHeld: next === null ? describeHeld(gone.held) : null,
    next,
  };
}

async function dryRun(lists: SyncLists, input: PlanSyncInput, signal: AbortSignal): Promise<SyncBatch> {
  const { deletionsHeld } = lists;
  const gone =
    input.delete && deletionsHeld === null ? await lists.gone(undefined, signal) : { deletions: [], held: [] };
  const deletions = gone.deletions.map(({ path, fileId, expected: { filename, bytes } }): SyncDecision => ({
    action: 'delete',
    why: 'gone',
    path,
    filename,
    bytes,
    fileId,
  }));
  const rank = ({ action, why }: SyncDecision) => (action === 'skip' ? (why === 'same' ? 2 : 1) : 0);
  const all = [...lists.decisions, ...deletions].toSorted((a, b) => rank(a) - rank(b) || byPath(a, b));
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

/** Returns the next entries that fit. Positions are paths, which also exist in lists that were created again. */
export function sliceOf<T extends { readonly path: string }>(
  sorted: readonly T[],
  after: string | null,
  limit: number,
): { batch: readonly T[]; next: string | null } {
  const first = after === null ? 0 : sorted.findIndex(({ path }) => comparePaths(path, after) > 0);
  if (first === -1) return { batch: [], next: null };
  const following = sorted.slice(first, first + limit);
  const { taken } = takeWithin(following, { bytes: PayloadLimits.batch });
  // At least one, so that each batch advances.
  const batch = taken.length === 0 ? following.slice(0, 1) : taken;
  const isLast = first + batch.length >= sorted.length;
  return { batch, next: isLast ? null : (batch.at(-1)?.path ?? null) };
}
