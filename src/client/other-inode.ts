import { setTimeout } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { UpdateName, WorkflowName, type RetuneInput } from '../contracts/names.ts';
import { queryText } from '../core/show/attributes.ts';
import { withoutInode } from '../core/upload/fingerprint.ts';
import { listWorkflows } from './list-workflows.ts';
import type { PreparedUpload } from './prepare-upload.ts';
import { startedRequest } from './started-request.ts';
import { fromTemporal } from './temporal-faults.ts';

/** A command starts its worker only after it has attached to the upload. */
const UPDATE_TIMEOUT_MS = 30_000;
/** After which the caller continues, while the update waits for a worker. */
const WAIT_MS = 1000;

/**
 * The ID of a running upload of the same file that was started with another inode, as before a remount, and without
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
 * Makes a running upload ignore the inode. Returns without a response if no worker is running yet: the update is applied
 * before the first part that a worker sends has failed.
 *
 * @throws SteeringRefusedError if the upload rejects it, such as one without an MD5
 */
export async function ignoreInodeOf(client: Client, workflowId: string, signal: AbortSignal): Promise<void> {
  const input: RetuneInput = { ignoreInode: true };
  const handle = client.workflow.getHandle(workflowId);
  const updated = client.withAbortSignal(AbortSignal.any([signal, AbortSignal.timeout(UPDATE_TIMEOUT_MS)]), () =>
    handle.executeUpdate(UpdateName.retune, { args: [input] }),
  );
  updated.catch(() => {});
  try {
    await Promise.race([updated, setTimeout(WAIT_MS)]);
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
