import { Context } from '@temporalio/activity';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { PieceActivities } from '../src/contracts/activities.ts';
import type { UploadProgress } from '../src/contracts/upload.ts';
import { runAttempt } from './attempt.ts';

/** Passes an update on to the upload of one piece; a workflow can't update another one by itself. */
export const steerPiece: PieceActivities['steerPiece'] = ({ workflowId, update, input }) =>
  runAttempt(async () => {
    const context = Context.current();
    const handle = context.client.workflow.getHandle(workflowId);
    try {
      const updating = handle.executeUpdate<UploadProgress, [object]>(update, { args: [input] });
      // A pause takes as long as the parts in flight do; a worker that stops, and a cancellation, don't wait for it.
      return await Promise.race([updating, context.cancelled]);
    } catch (error) {
      // It completes, or has ended: there is nothing left to steer in it.
      if (error instanceof WorkflowUpdateFailedError || error instanceof WorkflowNotFoundError) return null;
      throw error;
    }
  });
