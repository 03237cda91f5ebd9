import { WorkflowExecutionAlreadyStartedError, type Client, WorkflowNotFoundError } from '@temporalio/client';
import { Defaults, Priorities } from '../contracts/limits.ts';
import { MemoName, WorkflowName, SignalName } from '../contracts/names.ts';
import type { SyncHandover, SyncMemory } from '../contracts/sync.ts';
import { queryText } from '../core/show/attributes.ts';
import { filenameOfSource, nameOfContainer } from '../core/source/names.ts';
import { memoryOfResult } from '../core/sync/memory-shape.ts';
import { summaryOf } from '../core/text/markdown.ts';
import { requestPriority } from '../core/upload/priority.ts';
import { ignoreInodeProblem, withoutInode } from '../core/upload/fingerprint.ts';
import { LonghaulError } from '../errors.ts';
import { hiddenNames } from '../temporal/tolerant-client.ts';
import { JobIdTakenError, SteeringRefusedError } from './errors.ts';
import { JobHandle } from './job-handle.ts';
import { listWorkflows } from './lists/list-uploads.ts';
import type { PreparedSync } from './prepare/prepare-sync.ts';
import type { PreparedSplit, PreparedUpload } from './prepare/prepare-upload.ts';
import { isSameJob } from './prepare/same-job.ts';
import { startedRequest } from './prepare/started-request.ts';
import { fromTemporal, onWorkflow } from './temporal-faults.ts';

/** A job that was checked, with its workflow ID. */
export type PreparedJob = PreparedUpload | PreparedSplit | PreparedSync;

/** Temporal's default is 10 s. For this time, the workflow task of a killed worker delays the job. */
const WORKFLOW_TASK_TIMEOUT_MS = 5000;

/**
 * Starts a job, or attaches to the same one that is running or, for uploads, completed.
 *
 * @throws JobIdTakenError if another job has the ID
 * @throws SteeringRefusedError, TemporalUnreachableError
 */
export async function startJob<Job extends PreparedJob>(
  temporal: Client,
  taskQueue: string,
  job: Job,
): Promise<JobHandle<Job['kind']>> {
  const { kind, workflowId, digest } = job;
  const earlier = job.kind === 'upload' ? await findWithOtherInode(temporal, job) : undefined;
  if (earlier !== undefined) {
    await ignoreInodeOf(temporal, earlier);
    return new JobHandle(temporal, earlier, true);
  }
  try {
    await temporal.workflow.start(workflowTypes[kind], {
      workflowId,
      taskQueue,
      ...(await startOf(temporal, job)),
      memo: { [MemoName.identity]: digest, ...hiddenNames(temporal) },
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
      workflowIdConflictPolicy: 'FAIL',
    });
    return new JobHandle(temporal, workflowId, false);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw fromTemporal(error, workflowId);
    const handle = new JobHandle(temporal, workflowId, true);
    const { identity, workflowType } = await handle.describe();
    const isSame =
      workflowType === workflowTypes[kind] &&
      (identity === undefined ? await isStartedAs(temporal, job) : identity === digest);
    if (!isSame) throw new JobIdTakenError(workflowId, kind);
    return handle;
  }
}

const workflowTypes = {
  upload: WorkflowName.uploadFile,
  split: WorkflowName.uploadSplitFile,
  sync: WorkflowName.syncSource,
} as const;

/** Whether the workflow with the ID, which has no identity because another program started it, has the request of the job. */
async function isStartedAs(temporal: Client, job: PreparedJob): Promise<boolean> {
  // An input that cannot be read is that of another program.
  const started = await startedRequest(temporal, job.workflowId).catch((error: unknown) => {
    if (error instanceof LonghaulError) throw error;
  });
  return isSameJob(job, started);
}

/** Arguments, priority, summary and reuse of the ID. A sync starts with the memory of its last run. */
async function startOf(temporal: Client, job: PreparedJob) {
  const { purpose, destination = Defaults.destination } = job.request;
  if (job.kind === 'sync') {
    const { request, memoryId } = job;
    const handover: SyncHandover = { memory: await lastSyncMemory(temporal, memoryId) };
    const summary = summaryOf(nameOfContainer(request.source), purpose, destination);
    return {
      args: [request, handover],
      // The same priority as that of its larger files, which are separate uploads.
      priority: requestPriority({ ...request.upload, priority: request.upload?.priority ?? Priorities.bulk }),
      staticSummary: `${request.dryRun ? 'dry run: ' : ''}${summary}`,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    } as const;
  }
  const { request, again } = job;
  return {
    args: [request],
    // The workflow sets the same for its activities, because other languages start it without this.
    priority: requestPriority(request),
    staticSummary: summaryOf(request.filename ?? filenameOfSource(request.source), purpose, destination),
    workflowIdReusePolicy: again ? 'ALLOW_DUPLICATE' : 'ALLOW_DUPLICATE_FAILED_ONLY',
  } as const;
}

/**
 * Returns the memory of the last completed run of a sync; null if none exists or Temporal has deleted it after the
 * retention period.
 *
 * @throws JobIdTakenError if the last workflow with the ID was not a sync
 * @throws ServiceError of Temporal's client
 */
async function lastSyncMemory(client: Client, workflowId: string): Promise<SyncMemory | null> {
  try {
    // The newest run is available immediately. The list of earlier runs can be some seconds old.
    const { status, runId, type } = await client.workflow.getHandle(workflowId).describe();
    if (type !== WorkflowName.syncSource) throw new JobIdTakenError(workflowId, 'sync');
    if (status.name === 'COMPLETED') return await memoryOf(client, workflowId, runId);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
  const query = `WorkflowId = ${queryText(workflowId)} AND WorkflowType = "${WorkflowName.syncSource}" AND ExecutionStatus = "Completed"`;
  for await (const { runId } of client.workflow.list({ query })) return memoryOf(client, workflowId, runId);
  return null;
}

async function memoryOf(client: Client, workflowId: string, runId: string): Promise<SyncMemory | null> {
  return memoryOfResult(await client.workflow.getHandle(workflowId, runId).result());
}

/**
 * Returns the ID of a running upload of the same file that was started with another inode, as before a remount, and without
 * `ignoreInode`; undefined if none exists.
 *
 * @throws TemporalUnreachableError
 */
async function findWithOtherInode(client: Client, prepared: PreparedUpload): Promise<string | undefined> {
  const { request, workflowId, digest, identityUnder } = prepared;
  if (!request.ignoreInode || request.expectedFingerprint === undefined) return undefined;
  const begin = workflowId.slice(0, workflowId.length - digest.length);
  const query =
    `WorkflowType = "${WorkflowName.uploadFile}" AND ExecutionStatus = "Running"` +
    ` AND WorkflowId ${workflowId.endsWith(digest) ? `STARTS_WITH ${queryText(begin)}` : `= ${queryText(workflowId)}`}`;
  for await (const found of listWorkflows(client, query)) {
    const started = await startedRequest(client, found.workflowId).catch(() => undefined);
    const fingerprint = started?.expectedFingerprint;
    if (fingerprint === undefined || fingerprint === request.expectedFingerprint) continue;
    if (withoutInode(fingerprint) !== request.expectedFingerprint) continue;
    const under = identityUnder(fingerprint);
    if (under.workflowId !== found.workflowId) continue;
    const { identity } = await new JobHandle(client, found.workflowId).describe();
    if (identity === under.digest) return found.workflowId;
  }
  return undefined;
}

/**
 * Makes a running upload ignore the inode. Temporal stores the signal before this returns, so that the workflow has it
 * before it receives the result of a part that failed later. An update would need a worker that is already running.
 *
 * @throws SteeringRefusedError if the upload has no MD5, which detects other content
 */
async function ignoreInodeOf(client: Client, workflowId: string): Promise<void> {
  const request = await startedRequest(client, workflowId).catch(() => undefined);
  const problem = request && ignoreInodeProblem({ ...request, ignoreInode: true });
  if (problem !== undefined) throw new SteeringRefusedError(`${workflowId}: ${problem}`);
  const control = { type: 'retune', ignoreInode: true };
  await onWorkflow(workflowId, () => client.workflow.getHandle(workflowId).signal(SignalName.control, control, 0));
}
