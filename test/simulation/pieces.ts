import { runAttempt } from '../../activities/attempt.ts';
import type { PlannedPiece, PlanSplitInput, PlanSplitResult } from '../../src/contracts/activities.ts';
import { MemoName } from '../../src/contracts/names.ts';
import type { ByteRange } from '../../src/contracts/sources.ts';
import type { UploadResult } from '../../src/contracts/upload.ts';
import { pieceIdentity, pieceName, pieceWorkflowId } from '../../src/core/split/pieces.ts';
import { fullSplit } from '../support/full-request.ts';
import type { ClientWorld, Process } from './client.ts';
import { valueOf } from './payloads.ts';

/** The first activity of a split upload: cuts the source, and looks for pieces that are complete. */
export function planSplit(world: ClientWorld, process: Process, input: PlanSplitInput): Promise<PlanSplitResult> {
  return runAttempt(async () => {
    world.onCall('inspectSource', process.info);
    world.trace('planSplit');
    await world.clock.sleep(world.durationMs('inspectSource', process.info.key));
    if (process.isDead) return new Promise<never>(() => {});
    const { sizeBytes, fingerprint } = world.sources.at(input.request.source);
    const request = fullSplit(input.request);
    const { pieceSizeBytes = world.limits.maxFileBytes, filename: name, purpose, destination } = request;
    const whole = { purpose, destination, identity: input.identity, fingerprint };
    const count = Math.ceil(sizeBytes / pieceSizeBytes);
    const pieces = Array.from({ length: count }, (_, index) => {
      const offsetBytes = index * pieceSizeBytes;
      const range = { offsetBytes, sizeBytes: Math.min(pieceSizeBytes, sizeBytes - offsetBytes) };
      const workflowId = pieceWorkflowId(process.info.workflowId, index + 1, count);
      const filename = pieceName(name, index + 1, count);
      return planned(world, workflowId, pieceIdentity(whole, { filename, range }), range);
    });
    return { request, hasAttributes: world.hasAttributes, limits: world.limits, sizeBytes, fingerprint, pieces };
  });
}

function planned({ namespace }: ClientWorld, workflowId: string, identity: string, range: ByteRange): PlannedPiece {
  const { close, memo } = namespace.at(workflowId) ?? {};
  if (close?.status !== 'completed') return range;
  if (valueOf(memo?.[MemoName.identity]) !== identity) return { ...range, isReplaced: true };
  return { ...range, receipt: valueOf(close.result) as UploadResult };
}
