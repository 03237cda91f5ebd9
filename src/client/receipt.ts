import { RECEIPT_FORMAT } from '../contracts/names.ts';
import type { Receipt, UploadReceipt } from '../contracts/requests/receipt.ts';
import type { SplitUploadResult } from '../contracts/split.ts';
import type { UploadResult } from '../contracts/upload.ts';
import { partRange, planParts } from '../core/upload/plan.ts';
import { ConfigError } from '../errors.ts';
import { longhaulVersion } from '../longhaul-version.ts';
import { StrangeWorkflowError } from './errors.ts';

/**
 * Builds the receipt of a completed upload.
 *
 * @param resultOf returns the result of a piece
 * @throws ConfigError if the upload has no receipt
 */
export async function receiptOf(
  result: UploadResult | SplitUploadResult,
  resultOf: (workflowId: string) => Promise<UploadResult>,
): Promise<Receipt> {
  const head = {
    format: RECEIPT_FORMAT,
    versions: { longhaul: longhaulVersion(), node: process.versions.node },
  } as const;
  if (!('pieces' in result)) return { ...head, kind: 'upload', ...uploadReceipt(result) };
  const pieces: UploadReceipt[] = [];
  for (const { workflowId } of result.pieces) pieces.push(uploadReceipt(await resultOf(workflowId)));
  return { ...head, kind: 'split', workflowId: result.workflowId, bytes: result.bytes, pieces };
}

function uploadReceipt(result: UploadResult): UploadReceipt {
  const { workflowId, uploadId, bytes, md5, sha256, sessions, file, receipt, partSizeBytes = bytes } = result;
  if (!receipt) {
    throw new ConfigError(
      `the upload ${workflowId} has no receipt: an earlier build completed it, or it belongs to a sync. Upload the file again with --again.`,
    );
  }
  const { destination, source, fingerprint, partIds, startedAtMs, completedAtMs } = receipt;
  // Values of another program.
  if (bytes < 1) throw new StrangeWorkflowError(workflowId);
  const plan = planParts(bytes, partSizeBytes);
  if (plan.partCount !== partIds.length) throw new StrangeWorkflowError(workflowId);
  return {
    workflowId,
    destination,
    source,
    fingerprint,
    bytes,
    md5,
    sha256,
    uploadId,
    sessions,
    parts: partIds.map((id, index) => ({ number: index + 1, id, ...partRange(plan, index + 1) })),
    file,
    startedAt: new Date(startedAtMs).toISOString(),
    completedAt: new Date(completedAtMs).toISOString(),
  };
}
