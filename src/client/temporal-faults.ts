import {
  isGrpcServiceError,
  QueryNotRegisteredError,
  ServiceError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure } from '@temporalio/common';
import { grpcCause, sentences } from './grpc-cause.ts';
import { ConfigError } from '../errors.ts';
import { readPieces } from './read-answers.ts';
import { StrangeWorkflowError } from './strange-workflow-error.ts';
import {
  NoWorkerError,
  SteeringRefusedError,
  TemporalUnreachableError,
  UploadCancelledError,
  UploadFailedError,
  UploadNotFoundError,
} from './upload-errors.ts';

/** gRPC's numbers (grpc/grpc, doc/statuscodes.md). */
const GRPC_CANCELLED = 1;
const GRPC_INVALID_ARGUMENT = 3;
const GRPC_DEADLINE_EXCEEDED = 4;
const GRPC_RESOURCE_EXHAUSTED = 8;
const GRPC_FAILED_PRECONDITION = 9;
const GRPC_UNAVAILABLE = 14;

/** What the server or the connection to it said; undefined for anything else. */
export function grpcFault(error: unknown): { readonly code: number; readonly details: string } | undefined {
  const cause = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(cause) ? cause : undefined;
}

/** The server's own words when it refuses what was asked for as wrong. */
export function refusalOf(error: unknown): string | undefined {
  const cause = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(cause) && cause.code === GRPC_INVALID_ARGUMENT ? cause.details : undefined;
}

/** Whether the server is away for now (a restart, a broken network), so that the same question may be asked again. */
export function isTemporalAway(error: unknown): boolean {
  const code = grpcFault(error)?.code;
  return (
    code === GRPC_UNAVAILABLE ||
    code === GRPC_RESOURCE_EXHAUSTED ||
    code === GRPC_DEADLINE_EXCEEDED ||
    code === GRPC_CANCELLED
  );
}

/** Whether nobody could answer a query: the server is away, or it has seen no worker on the task queue lately. */
export function isUnanswered(error: unknown): boolean {
  return isTemporalAway(error) || grpcFault(error)?.code === GRPC_FAILED_PRECONDITION;
}

/** Turns what Temporal's client throws into Longhaul's errors; what is none of these comes back as it was. */
export function fromTemporal(error: unknown, workflowId: string): unknown {
  if (error instanceof WorkflowNotFoundError) return new UploadNotFoundError(workflowId);
  if (error instanceof WorkflowFailedError) return ended(error, workflowId);
  if (error instanceof WorkflowUpdateFailedError) {
    return new SteeringRefusedError(error.cause?.message ?? error.message, { cause: error });
  }
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
    return new NoWorkerError(`no worker answered for ${workflowId}; is one running on its task queue?`, {
      cause: error,
    });
  }
  if (error instanceof QueryNotRegisteredError) return new StrangeWorkflowError(workflowId, error);
  const fault = grpcFault(error);
  if (fault?.code === GRPC_INVALID_ARGUMENT) return new ConfigError(sentences(grpcCause(fault)), { cause: error });
  if (isTemporalAway(error)) {
    return unreachable(error);
  }
  return error;
}

/** An error of a server that is away for now, with its cause and the fix. */
export function unreachable(error: unknown): TemporalUnreachableError {
  const fault = grpcFault(error) ?? { code: GRPC_UNAVAILABLE, details: (error as Error).message };
  return new TemporalUnreachableError(sentences(grpcCause(fault)), { cause: error });
}

function ended(error: WorkflowFailedError, workflowId: string): Error {
  const { cause } = error;
  if (cause instanceof CancelledFailure) return new UploadCancelledError(workflowId, 'the upload was cancelled', error);
  if (cause instanceof TerminatedFailure) {
    const message = 'the upload was terminated from outside; its session expires by itself';
    return new UploadCancelledError(workflowId, message, error);
  }
  const type = cause instanceof ApplicationFailure ? (cause.type ?? 'Unknown') : (cause?.name ?? 'Unknown');
  const details = cause instanceof ApplicationFailure ? cause.details?.[0] : undefined;
  const { pieces } = (details ?? {}) as { readonly pieces?: unknown };
  return new UploadFailedError(workflowId, type, cause?.message ?? error.message, error, readPieces(pieces));
}
