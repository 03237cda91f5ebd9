import { Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import pMap from 'p-map';
import type { PlannedPiece } from '../src/contracts/activities.ts';
import { MemoName } from '../src/contracts/names.ts';
import type { ByteRange } from '../src/contracts/sources.ts';
import type { UploadResult } from '../src/contracts/upload.ts';
import { uploadResult } from '../src/core/shape/results.ts';
import { pieceIdentity, pieceName, pieceWorkflowId, type Whole } from '../src/core/split/pieces.ts';
import { tolerantClient } from '../src/temporal/tolerant-client.ts';

/** Requests to Temporal at the same time. */
const CONCURRENCY = 8;

/**
 * Adds the receipts of pieces that an earlier execution of the split upload has completed. Does not wait: a running upload
 * has no receipt.
 */
export async function withReceipts(
  ranges: readonly ByteRange[],
  whole: Whole & { readonly filename: string },
  signal: AbortSignal,
): Promise<PlannedPiece[]> {
  const { info, client } = Context.current();
  const { workflow } = tolerantClient(client);
  const parentId = info.workflowExecution?.workflowId ?? '';
  const look = async (range: ByteRange, index: number): Promise<PlannedPiece> => {
    signal.throwIfAborted();
    const workflowId = pieceWorkflowId(parentId, index + 1, ranges.length);
    const filename = pieceName(whole.filename, index + 1, ranges.length);
    const receipt = await findReceipt(workflow.getHandle(workflowId), pieceIdentity(whole, { filename, range }));
    return { ...range, ...receipt };
  };
  return pMap(ranges, look, { concurrency: CONCURRENCY });
}

async function findReceipt(
  handle: WorkflowHandle,
  identity: string,
): Promise<Pick<PlannedPiece, 'receipt' | 'isReplaced'>> {
  try {
    const { status, memo } = await handle.describe();
    if (status.name !== 'COMPLETED') return {};
    if (memo?.[MemoName.identity] !== identity) return { isReplaced: true };
    const result: unknown = await handle.result();
    // A memo can be copied: the result of another program under the same ID is not a File of Longhaul.
    if (!uploadResult(result)) return { isReplaced: true };
    const { receipt: _, ...rest } = result as UploadResult;
    return { receipt: rest };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return {};
    throw error;
  }
}
