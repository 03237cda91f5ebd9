import { workflowInfo, ApplicationFailure } from '@temporalio/workflow';
import { TextLimits } from '../../src/contracts/limits.ts';
import { transferTaskQueue } from '../../src/contracts/names.ts';
import type { Container, Source } from '../../src/contracts/sources.ts';
import { taskQueueProblem } from '../../src/core/task-queue.ts';
import { utf8Length, clipMessage } from '../../src/core/text/clip.ts';
import { FailureType } from '../../src/contracts/failures.ts';

/**
 * Problems of a valid request that only its workflow can see: names that it makes out of its own ones. Temporal rejects
 * the command that carries a wrong name, again and again.
 */
export function placeProblems(
  request: { readonly source: Source | Container; readonly transferTaskQueue?: string },
  hasChildren: boolean,
): string[] {
  const { taskQueue, workflowId } = workflowInfo();
  const { source } = request;
  const host = 'host' in source ? source.host : undefined;
  const queue = taskQueueProblem(request.transferTaskQueue ?? transferTaskQueue(taskQueue, host));
  const isLong = hasChildren && utf8Length(workflowId) > TextLimits.parentWorkflowId;
  return [
    ...(queue === undefined ? [] : [`the task queue of the workers that move the bytes ${queue}`]),
    ...(isLong ? [`the workflow ID must have at most ${TextLimits.parentWorkflowId} bytes`] : []),
  ];
}

/** Rejects what a caller sent. Its own texts are in the message, so that is limited. */
export function invalidRequest(...problems: readonly string[]): ApplicationFailure {
  return ApplicationFailure.nonRetryable(clipMessage(problems.join('; ')), FailureType.InvalidRequest);
}
