import type { ControlActivities, TransferActivities } from '../src/contracts/activities.ts';
import { createCancelUpload } from './cancel-upload.ts';
import { createCompleteUpload } from './complete-upload.ts';
import { createCreateUpload } from './create-upload.ts';
import { createDeleteFile } from './delete-file.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { createHashSource } from './hash-source.ts';
import { createInspectSource } from './inspect-source.ts';
import { createOpenBatch } from './open-batch.ts';
import { createSendBatch } from './send-batch.ts';
import { createPlanSplit } from './plan-split.ts';
import { packSyncMemory } from './pack-sync-memory.ts';
import { createPlanSync } from './plan-sync.ts';
import { recallSync } from './recall-sync.ts';
import { createRecordSync } from './record-sync.ts';
import { createUploadPart } from './upload-part.ts';

export type * from '../src/contracts/activities.ts';
export type * from '../src/contracts/batch.ts';
export type * from '../src/contracts/plan-sync.ts';
export type { ContentProblems, HashCheckpoint, LineCheck, LineProblem } from '../src/contracts/content.ts';
export type { Admitted, FailureDetails, JobSubject, SentPart } from '../src/contracts/failures.ts';
export type { DestinationLimits } from '../src/contracts/limits.ts';
export type { Pace } from '../src/destinations/http/multipart-part.ts';
export type { PartListener, PartWatch } from '../src/destinations/port.ts';
export type { ActivityDependencies, UploadRatesKeeper, WatchedPart } from './dependencies.ts';

/** Activities of the control task queue, which also runs the workflows. */
export function createControlActivities(dependencies: ActivityDependencies): ControlActivities {
  return {
    createUpload: createCreateUpload(dependencies),
    completeUpload: createCompleteUpload(dependencies),
    openBatch: createOpenBatch(dependencies),
    cancelUpload: createCancelUpload(dependencies),
    deleteFile: createDeleteFile(dependencies),
    recallSync,
    packSyncMemory,
  };
}

/** Activities of the transfer task queues, which read sources and send parts. */
export function createTransferActivities(dependencies: ActivityDependencies): TransferActivities {
  return {
    inspectSource: createInspectSource(dependencies),
    hashSource: createHashSource(dependencies),
    planSplit: createPlanSplit(dependencies),
    uploadPart: createUploadPart(dependencies),
    sendBatch: createSendBatch(dependencies),
    planSync: createPlanSync(dependencies),
    recordSync: createRecordSync(dependencies),
  };
}
