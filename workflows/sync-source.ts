import { workflowInfo } from '@temporalio/workflow';
import type { SyncHandover, SyncProgress, SyncRequest, SyncResult } from '../src/contracts/sync.ts';
import { handoverProblems } from '../src/core/upload/carried.ts';
import { defineWorkflow } from './shell/define-workflow.ts';
import { SyncRun } from './sync/run.ts';

/**
 * Brings what is new and changed in a folder to the destination, each file by an `uploadFile` of its own. Files that
 * fail are told in the result; the others are brought all the same. The second argument is what the run before handed
 * over; left out, it is taken from the last result of the schedule, or of the workflow ID.
 *
 * @throws ApplicationFailure with one of the types of `FailureType` when the sync as a whole can't be done
 */
export const syncSource = defineWorkflow<SyncRequest, SyncHandover, SyncResult, SyncProgress>({
  noun: 'sync',
  controls: ['pause', 'resume', 'retry'],
  hasChildren: true,
  carriedProblems: handoverProblems,
  open: (request, handover) => new SyncRun(request, handover ?? lastHandover()),
  fileIds: () => [],
});

/** Some schedulers of Temporal hand the last result over; otherwise it is looked up. */
function lastHandover(): SyncHandover {
  const { memory } = (workflowInfo().lastResult ?? {}) as Partial<SyncResult>;
  return memory ? { memory } : {};
}
