import {
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  ContinueAsNew,
  defineQuery,
  defineUpdate,
  isCancellation,
  makeContinueAsNewFunc,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { QueryName, UpdateName } from '../src/contracts/names.ts';
import type { SyncHandover, SyncProgress, SyncRequest, SyncResult } from '../src/contracts/sync.ts';
import { handoverProblems } from '../src/core/carried.ts';
import { syncRequestProblems } from '../src/core/sync-request.ts';
import { failureOf, reasonOfFailure } from './failure-of.ts';
import { invalidRequest } from './invalid-request.ts';
import { logCompletedSync, logFailedSync, logRejectedRequest } from './log-end.ts';
import { placeProblems } from './place-problems.ts';
import { ShownAttributes } from './shown-attributes.ts';
import { SyncRun } from './sync-run.ts';

const progressQuery = defineQuery<SyncProgress>(QueryName.syncProgress);
const pauseUpdate = defineUpdate<SyncProgress>(UpdateName.pause);
const resumeUpdate = defineUpdate<SyncProgress>(UpdateName.resume);
const retryUpdate = defineUpdate<SyncProgress>(UpdateName.retry);

/**
 * Brings what is new and changed in a folder to the destination, each file by an `uploadFile` of its own. Files that
 * fail are told in the result; the others are brought all the same.
 *
 * @param handover of the run before; left out, it is taken from the last result of the schedule, or of the workflow id
 * @throws ApplicationFailure with one of the types of `FailureType` when the sync as a whole can't be done
 */
export async function syncSource(request: SyncRequest, handover?: SyncHandover): Promise<SyncResult> {
  const problems = [...syncRequestProblems(request), ...handoverProblems(handover)];
  if (problems.length === 0) problems.push(...placeProblems(request, true));
  if (problems.length > 0) {
    new ShownAttributes().showRefusal();
    const failure = invalidRequest(...problems);
    logRejectedRequest('sync', failure);
    throw failure;
  }

  const sync = new SyncRun(request, handover ?? lastHandover());
  handleSteering(sync);
  try {
    const outcome = await sync.run(handover?.run === undefined);
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
    if ('counts' in outcome) {
      logCompletedSync(sync.source, sync.progress());
      return outcome;
    }
    // The next execution would not know of a cancellation that came to this one.
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled at the hand-over');
    return await makeContinueAsNewFunc<typeof syncSource>()(request, outcome);
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    const failure = failureOf(error);
    sync.end(isCancellation(error) ? 'cancelled' : 'failed', reasonOfFailure(failure));
    logFailedSync(sync.source, sync.progress(), failure);
    throw failure;
  }
}

/** Some schedulers of Temporal hand the last result over; otherwise it is looked up. */
function lastHandover(): SyncHandover {
  const { memory } = (workflowInfo().lastResult ?? {}) as Partial<SyncResult>;
  return memory ? { memory } : {};
}

function handleSteering(sync: SyncRun): void {
  setHandler(progressQuery, () => sync.progress());
  setHandler(pauseUpdate, () => {
    sync.pause();
    return sync.progress();
  });
  setHandler(resumeUpdate, () => {
    sync.resume();
    return sync.progress();
  });
  setHandler(retryUpdate, () => {
    sync.retry();
    return sync.progress();
  });
}
