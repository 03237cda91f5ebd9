import {
  QueryNotRegisteredError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure } from '@temporalio/common';
import type { LonghaulError } from '../errors.ts';
import { NamespaceNotFoundError } from '../temporal/temporal-errors.ts';
import { grpcFault } from '../temporal/grpc-cause.ts';
import { grpcError, isTemporalAway, temporalFault } from '../temporal/temporal-fault.ts';
import { readPieces } from './follow/read-answers.ts';
import {
  StrangeWorkflowError,
  NoWorkerError,
  SteeringRefusedError,
  JobCancelledError,
  JobFailedError,
  JobNotFoundError,
} from './errors.ts';

/** Returns the message of the server if it rejects the request as invalid. */
export function refusalOf(error: unknown): string | undefined {
  const fault = grpcFault(error);
  return fault?.status === 'INVALID_ARGUMENT' ? fault.details : undefined;
}

/** Whether the server responded to a query, or kept it until its deadline, because no worker polls the task queue. */
export function isWithoutWorker(error: unknown): boolean {
  const { status = '' } = grpcFault(error) ?? {};
  return ['CANCELLED', 'DEADLINE_EXCEEDED', 'FAILED_PRECONDITION'].includes(status);
}

/** Whether a query had no response: the server is unavailable, or has seen no worker on the task queue recently. */
export function isUnanswered(error: unknown): boolean {
  return isTemporalAway(error) || grpcFault(error)?.status === 'FAILED_PRECONDITION';
}

/**
 * Converts an error of Temporal's client to a LonghaulError. Returns an error that a call to Temporal did not cause, such as
 * an error of a payload codec, unchanged.
 */
export function fromTemporal(error: unknown, workflowId: string): unknown {
  if (error instanceof WorkflowNotFoundError) return notFound(error, workflowId);
  if (error instanceof WorkflowFailedError) return ended(error, workflowId);
  if (hasFailedTask(error)) return noWorkerAnswered(workflowId, error);
  if (
    error instanceof WorkflowUpdateFailedError &&
    /workflow completed before/i.test(error.message + error.cause?.message)
  ) {
    return new SteeringRefusedError(`${workflowId} closed before the change was in effect`, { cause: error });
  }
  if (error instanceof WorkflowUpdateFailedError) {
    return new SteeringRefusedError(error.cause?.message ?? error.message, { cause: error });
  }
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return noWorkerAnswered(workflowId, error);
  if (error instanceof QueryNotRegisteredError) return new StrangeWorkflowError(workflowId, error);
  return temporalFault(error);
}

/** Runs a call to Temporal about a workflow. @throws as `fromTemporal` */
export async function onWorkflow<T>(workflowId: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw fromTemporal(error, workflowId);
  }
}

/** @param workflowId empty for a call that is not about a single workflow */
function notFound(error: WorkflowNotFoundError, workflowId: string): LonghaulError {
  const fault = grpcError({ status: 'NOT_FOUND', details: error.message }, error);
  if (workflowId === '' || fault instanceof NamespaceNotFoundError) return fault;
  if (/already completed/i.test(error.message)) {
    return new SteeringRefusedError(`${workflowId} is already closed`, { cause: error });
  }
  return new JobNotFoundError(workflowId, error);
}

/** @param what object of the query, such as a workflow ID */
export function noWorkerAnswered(what: string, cause: unknown): NoWorkerError {
  if (hasFailedTask(cause)) return failingTask(what, cause);
  return new NoWorkerError(`no worker responded for ${what}. Start "longhaul worker".`, { cause });
}

/** Whether the server rejected a query or an update because a worker failed the workflow task, which is repeated. */
export function hasFailedTask(error: unknown): boolean {
  return /workflow task (in failed state|failure)/i.test(grpcFault(error)?.details ?? '');
}

/** @param workflowId of a workflow that workers cannot continue */
function failingTask(workflowId: string, cause: unknown): NoWorkerError {
  return new NoWorkerError(
    `workers cannot continue ${workflowId}, because its workflow task fails or times out. ` +
      'Run "longhaul doctor", and check the log of a worker.',
    { cause },
  );
}

function ended(error: WorkflowFailedError, workflowId: string): Error {
  const { cause } = error;
  if (cause instanceof CancelledFailure) return new JobCancelledError(workflowId, `${workflowId} was cancelled`, error);
  if (cause instanceof TerminatedFailure) {
    const message = `${workflowId} was terminated. An open session expires within one hour.`;
    return new JobCancelledError(workflowId, message, error);
  }
  const type = cause instanceof ApplicationFailure ? (cause.type ?? 'Unknown') : (cause?.name ?? 'Unknown');
  const details = cause instanceof ApplicationFailure ? cause.details?.[0] : undefined;
  const { pieces } = (details ?? {}) as { readonly pieces?: unknown };
  return new JobFailedError(workflowId, type, cause?.message ?? error.message, error, readPieces(pieces));
}

/**
 * Whether a query failed because the worker that received it cannot replay the workflow. The workflows of Longhaul
 * register the query of their progress before anything else, so that only such a worker responds with this error.
 */
export function isOutdated(error: unknown): boolean {
  return error instanceof QueryNotRegisteredError;
}

/** Text about such a workflow in messages. */
export const OUTDATED = 'another version of Longhaul started it, and the version of its workers cannot continue it';
