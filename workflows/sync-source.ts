import { workflowInfo } from '@temporalio/workflow';
import type { SyncHandover, SyncProgress, SyncRequest, SyncResult } from '../src/contracts/sync.ts';
import { handoverProblems } from '../src/core/shape/carried.ts';
import { defineWorkflow } from './shell/define-workflow.ts';
import { SyncRun } from './sync/run.ts';

/**
 * Uploads new and changed files of a folder or bucket to the destination. The result lists files that fail, which do not
 * prevent the others. The second argument is the memory of the previous run. If it is omitted, the workflow uses the last
 * result of the schedule or of the workflow ID.
 *
 * @throws ApplicationFailure with a type of `FailureType` if the sync as a whole fails
 */
export const syncSource = defineWorkflow<SyncRequest, SyncHandover, SyncResult, SyncProgress>({
  noun: 'sync',
  controls: ['pause', 'resume', 'retry'],
  hasChildren: true,
  carriedProblems: handoverProblems,
  open: (request, handover) => new SyncRun(request, handover ?? lastHandover()),
  fileIds: () => [],
});

/** Some schedulers of Temporal pass on the last result. Otherwise an activity reads it. */
function lastHandover(): SyncHandover {
  const { memory } = (workflowInfo().lastResult ?? {}) as Partial<SyncResult>;
  return memory ? { memory } : {};
}
