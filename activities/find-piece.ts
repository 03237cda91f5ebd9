import { setTimeout } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { FindPieceResult, PieceActivities } from '../src/contracts/activities.ts';
import type { UploadResult } from '../src/contracts/upload.ts';
import { isPlainObject } from '../src/core/payload.ts';
import { tolerantClient } from '../src/tolerant-client.ts';
import { runAttempt } from './attempt.ts';

const LOOK_EVERY_MS = 1000;

/**
 * What became of an upload that already has a piece's id: it ran under an earlier execution of the split upload. One
 * that still runs is waited for, as its session must not be lost, nor the bytes be sent twice.
 */
export const findPiece: PieceActivities['findPiece'] = ({ workflowId, identity }) =>
  runAttempt(async ({ signal }): Promise<FindPieceResult> => {
    const handle = tolerantClient(Context.current().client).workflow.getHandle(workflowId);
    for (;;) {
      const { status, memo } = await handle.describe().catch((error: unknown) => {
        if (error instanceof WorkflowNotFoundError) return { status: { name: 'FAILED' }, memo: undefined };
        throw error;
      });
      if (status.name === 'COMPLETED') {
        if (memo?.['longhaulIdentity'] !== identity) return { outcome: 'foreign' };
        const result = (await handle.result()) as UploadResult;
        return isReceipt(result) ? { outcome: 'completed', result } : { outcome: 'foreign' };
      }
      if (status.name !== 'RUNNING') return { outcome: 'failed' };
      await setTimeout(LOOK_EVERY_MS, undefined, { signal });
    }
  });

/** A memo can be copied: what another program made under the same ID is no File of ours. */
function isReceipt(result: unknown): boolean {
  if (!isPlainObject(result) || !isPlainObject(result['file'])) return false;
  const numbers = [result['bytes'], result['parts'], result['partsSent'], result['sessions']];
  return typeof result['file']['id'] === 'string' && numbers.every(Number.isSafeInteger);
}
