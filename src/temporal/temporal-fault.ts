import { ServiceError } from '@temporalio/client';
import { ConfigError, LonghaulError } from '../errors.ts';
import {
  grpcCause,
  grpcFault,
  missingNamespace,
  namespaceMissing,
  sentences,
  type GrpcFault,
  type GrpcStatus,
} from './grpc-cause.ts';
import {
  NamespaceNotFoundError,
  TemporalDeniedError,
  TemporalFailedError,
  TemporalUnreachableError,
} from './temporal-errors.ts';

/** Statuses of a server that does not respond for now. */
const AWAY: readonly GrpcStatus[] = ['CANCELLED', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'UNAVAILABLE'];

/** Statuses of a server that responded with an error, and can succeed later without a change. */
const TRANSIENT: readonly GrpcStatus[] = ['UNKNOWN', 'ABORTED', 'INTERNAL'];

/** Whether the server is away for now (a restart, a broken network), so that the same question may be asked again. */
export function isTemporalAway(error: unknown): boolean {
  const fault = grpcFault(error);
  return fault !== undefined && AWAY.includes(fault.status) && !isTooLarge(fault);
}

/** A limit in bytes is not a limit of a rate: the same request fails again. */
function isTooLarge({ status, details }: GrpcFault): boolean {
  return status === 'RESOURCE_EXHAUSTED' && /larger than max|exceeds? .*size limit/i.test(details);
}

/**
 * Turns an error of the Temporal server, or of the connection to it, into a LonghaulError. Any other error is returned
 * unchanged.
 */
export function temporalFault(error: unknown): unknown {
  if (error instanceof LonghaulError) return error;
  // The worker's class has the same name, and is another one.
  const { name, namespace } = (error ?? {}) as { readonly name?: string; readonly namespace?: unknown };
  if (name === 'NamespaceNotFoundError' && typeof namespace === 'string') return noNamespace(namespace, error);
  const fault = grpcFault(error);
  if (fault) return grpcError(fault, error);
  if (!(error instanceof ServiceError)) return error;
  const reason = error.cause instanceof Error ? error.cause.message : error.message;
  const isClosed = /shut ?down|closed/i.test(reason);
  const fix = isClosed ? 'Connect again' : 'Check TEMPORAL_ADDRESS, and that the Temporal server runs';
  return new TemporalUnreachableError(sentences({ problem: `the request to Temporal failed: ${reason}`, fix }), {
    cause: error,
  });
}

export function grpcError(fault: GrpcFault, cause: unknown): LonghaulError {
  const { status, details } = fault;
  const namespace = missingNamespace(details);
  if (namespace !== undefined) return noNamespace(namespace, cause);
  if (isTooLarge(fault)) {
    const problem = `the message is too large for Temporal: ${details}`;
    return new ConfigError(sentences({ problem, fix: 'Shorten the lists and texts of the request' }), { cause });
  }
  const message = sentences(grpcCause(fault));
  if (AWAY.includes(status)) return new TemporalUnreachableError(message, { cause });
  if (status === 'INVALID_ARGUMENT' || status === 'OUT_OF_RANGE') return new ConfigError(message, { cause });
  if (status === 'PERMISSION_DENIED' || status === 'UNAUTHENTICATED') {
    return new TemporalDeniedError(message, { cause });
  }
  const retryable = TRANSIENT.includes(status);
  return new TemporalFailedError(message, status, { cause, retryable });
}

function noNamespace(namespace: string, cause: unknown): NamespaceNotFoundError {
  return new NamespaceNotFoundError(sentences(namespaceMissing(namespace)), { cause });
}
