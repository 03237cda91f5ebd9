import type { Client } from '@temporalio/client';
import { SignalName, WorkflowName } from '../../contracts/names.ts';
import { queryText } from '../../core/show/attributes.ts';
import { withoutInode } from '../../core/upload/fingerprint.ts';
import { ignoreInodeProblem } from '../../core/upload/tuning.ts';
import { listWorkflows } from '../lists/list-uploads.ts';
import type { PreparedUpload } from './prepare-upload.ts';
import { startedRequest } from './started-request.ts';
import { fromTemporal } from '../temporal-faults.ts';
import { SteeringRefusedError } from '../errors.ts';

/**
 * Returns the ID of a running upload of the same file that was started with another inode, as before a remount, and without
 * `ignoreInode`; undefined if none exists.
 *
 * @throws TemporalUnreachableError
 */
export async function findWithOtherInode(client: Client, prepared: PreparedUpload): Promise<string | undefined> {
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
    if (under.workflowId === found.workflowId && (await identityOf(client, found.workflowId)) === under.digest) {
      return found.workflowId;
    }
  }
  return undefined;
}

/**
 * Makes a running upload ignore the inode. Temporal stores the signal before this returns, so that the workflow has it
 * before it receives the result of a part that failed later. An update would need a worker that is already running.
 *
 * @throws SteeringRefusedError if the upload has no MD5, which detects other content
 */
export async function ignoreInodeOf(client: Client, workflowId: string): Promise<void> {
  const request = await startedRequest(client, workflowId).catch(() => undefined);
  const problem = request && ignoreInodeProblem({ ...request, ignoreInode: true });
  if (problem !== undefined) throw new SteeringRefusedError(`${workflowId}: ${problem}`);
  const control = { type: 'retune', ignoreInode: true };
  try {
    await client.workflow.getHandle(workflowId).signal(SignalName.control, control, 0);
  } catch (error) {
    throw fromTemporal(error, workflowId);
  }
}

async function identityOf(client: Client, workflowId: string): Promise<unknown> {
  try {
    const { memo } = await client.workflow.getHandle(workflowId).describe();
    return memo?.['longhaulIdentity'];
  } catch (error) {
    throw fromTemporal(error, workflowId);
  }
}
