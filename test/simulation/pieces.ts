import { WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { runAttempt } from '../../activities/attempt.ts';
import { steerPiece } from '../../activities/steer-piece.ts';
import type {
  FindPieceInput,
  FindPieceResult,
  PlanSplitInput,
  PlanSplitResult,
} from '../../src/contracts/activities.ts';
import type { UploadResult } from '../../src/contracts/upload.ts';
import type { ClientWorld, Process } from './client.ts';
import type { Update } from './execution-world.ts';
import { describeFailure, valueOf } from './payloads.ts';
import { fullSplit } from '../support/full-request.ts';

const POLL_MS = 100;

/** Activities of a split upload. `steerPiece` is the real one, with a model of Temporal's client. */
export function pieceActivities(world: ClientWorld, process: Process) {
  return {
    planSplit: (input: PlanSplitInput) => planSplit(world, process, input),
    findPiece: (input: FindPieceInput) => findPiece(world, process, input),
    steerPiece,
  };
}

/** Temporal's client within an activity, for updates of other workflows. */
export function temporalClient({ clock, namespace }: ClientWorld, process: Process): Client {
  const executeUpdate = async (workflowId: string, name: string, input: unknown): Promise<unknown> => {
    for (;;) {
      const execution = namespace.at(workflowId);
      if (!execution?.isOpen) throw new WorkflowNotFoundError('workflow not found', workflowId, undefined);
      const update: Update = execution.update(name, input);
      const isPending = () => execution.isOpen && (update.state === 'sent' || update.state === 'accepted');
      while (isPending()) {
        await clock.sleep(POLL_MS);
        if (process.isDead) await new Promise<never>(() => {});
      }
      // The server passes an update on to the next execution if this one had not received it.
      if (update.state === 'lost' && execution.close?.status === 'continued') continue;
      if (update.state === 'completed') return update.value;
      throw new WorkflowUpdateFailedError(describeFailure(update.failure), undefined);
    }
  };
  const getHandle = (workflowId: string) => ({
    executeUpdate: (name: string, { args }: { readonly args: readonly unknown[] }) =>
      executeUpdate(workflowId, name, args[0]),
  });
  const withAbortSignal = <T>(_: AbortSignal, run: () => Promise<T>) => run();
  return { workflow: { getHandle }, withAbortSignal } as unknown as Client;
}

function planSplit(world: ClientWorld, process: Process, input: PlanSplitInput): Promise<PlanSplitResult> {
  return runAttempt(async () => {
    world.onCall('inspectSource', process.info);
    world.trace('planSplit');
    await world.clock.sleep(world.durationMs('inspectSource', process.info.key));
    if (process.isDead) return new Promise<never>(() => {});
    const { sizeBytes, fingerprint } = world.sources.at(input.request.source);
    const request = fullSplit(input.request);
    const { pieceSizeBytes } = request;
    const count = Math.ceil(sizeBytes / pieceSizeBytes);
    const pieces = Array.from({ length: count }, (_, index) => {
      const offsetBytes = index * pieceSizeBytes;
      return { offsetBytes, sizeBytes: Math.min(pieceSizeBytes, sizeBytes - offsetBytes) };
    });
    return { request, hasAttributes: false, sizeBytes, fingerprint, pieces };
  });
}

function findPiece({ clock, namespace }: ClientWorld, process: Process, input: FindPieceInput) {
  return runAttempt(async ({ signal }): Promise<FindPieceResult> => {
    for (;;) {
      const execution = namespace.at(input.workflowId);
      const close = execution?.close;
      if (!execution || (close && close.status !== 'completed' && close.status !== 'continued')) {
        return { outcome: 'failed' };
      }
      if (close?.status === 'completed') {
        const isIt = valueOf(execution.memo['longhaulIdentity']) === input.identity;
        return isIt ? { outcome: 'completed', result: valueOf(close.result) as UploadResult } : { outcome: 'foreign' };
      }
      await clock.sleep(1000, signal);
      if (process.isDead) return new Promise<never>(() => {});
    }
  });
}
