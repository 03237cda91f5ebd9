import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { workerSources } from '../src/config/sources.ts';
import type { ControlActivities, TransferActivities } from '../src/contracts/activities.ts';
import type { SourceSettings } from '../src/sources/source-settings.ts';
import { ConfigError } from '../src/errors.ts';
import { Sources } from '../src/sources/sources.ts';
import { currentWorkflow } from '../src/worker/sealing-workflow.ts';
import { NamespaceAttributes } from '../src/worker/attributes.ts';
import { UploadLimits } from '../src/pace/upload-rates.ts';
import { createCancelUpload } from './cancel-upload.ts';
import { createCompleteUpload } from './complete-upload.ts';
import { createCreateUpload } from './create-upload.ts';
import { createDeleteFile } from './delete-file.ts';
import type { ActivityDependencies, UploadLimitsKeeper } from './dependencies.ts';
import { createHashSource } from './hash-source.ts';
import { createInspectSource } from './inspect-source.ts';
import { createOpenBatch } from './open-batch.ts';
import { createSendBatch } from './send-batch.ts';
import { createPlanSplit } from './plan-split.ts';
import { packSyncMemory } from './pack-sync-memory.ts';
import { createPlanSync } from './plan-sync.ts';
import { recallSync } from './recall-sync.ts';
import { createUploadPart } from './upload-part.ts';

export type * from '../src/contracts/activities.ts';
export type * from '../src/contracts/batch.ts';
export type { Admitted, FailureDetails, JobSubject, SentPart } from '../src/contracts/failures.ts';
export type { Pace } from '../src/destinations/http/multipart-part.ts';
export type { ActivityDependencies, PartWatcher, UploadLimitsKeeper } from './dependencies.ts';

/** Activities of the control task queue, which runs the workflows too. */
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

/** Activities of the transfer task queues, which read sources and move bytes. */
export function createTransferActivities(dependencies: ActivityDependencies): TransferActivities {
  return {
    inspectSource: createInspectSource(dependencies),
    hashSource: createHashSource(dependencies),
    planSplit: createPlanSplit(dependencies),
    uploadPart: createUploadPart(dependencies),
    sendBatch: createSendBatch(dependencies),
    planSync: createPlanSync(dependencies),
  };
}

/** What a worker of your own gives to its activities. */
export interface OwnWorkerOptions extends Omit<ActivityDependencies, 'sources'> {
  /** As in `WorkerOptions` of `longhaul/worker`. @defaultValue callers can have nothing read */
  readonly sources?: SourceSettings | undefined;
  /** @defaultValue those of the workers of `createWorker`: `limitBytesPerSecond` of each upload holds */
  readonly limits?: UploadLimitsKeeper;
}

/**
 * All of them, for a worker of your own that serves every queue.
 *
 * @throws ConfigError for wrong `sources`, and without `destination`
 */
export function createActivities({
  destination,
  sources,
  limits = new UploadLimits(),
}: OwnWorkerOptions): ControlActivities & TransferActivities {
  // Not every caller has a compiler.
  if (typeof (destination as unknown) !== 'function') {
    throw new ConfigError('"destination" is missing: pass the "get" of a "Destinations" of longhaul/worker');
  }
  const opened = new Sources(workerSources(sources), undefined, currentWorkflow);
  let attributes: NamespaceAttributes | undefined;
  const hasAttributes = async () => {
    const { connection, options } = clientOfActivity() ?? {};
    if (!connection) return false;
    attributes ??= new NamespaceAttributes(connection, options?.namespace ?? 'default');
    return attributes.areKnown();
  };
  const dependencies = { destination, sources: opened, limits, hasAttributes };
  return { ...createControlActivities(dependencies), ...createTransferActivities(dependencies) };
}

/** Undefined in an environment of tests. */
function clientOfActivity(): Client | undefined {
  try {
    return Context.current().client;
  } catch {
    return undefined;
  }
}
