import { ServiceError } from '@temporalio/client';
import { ConfigError, LonghaulError } from '../errors.ts';
import { grpcCause, grpcFault, grpcStatus, missingNamespace, namespaceMissing, sentences } from './grpc-cause.ts';
import {
  NamespaceNotFoundError,
  TemporalDeniedError,
  TemporalFailedError,
  TemporalUnreachableError,
} from './temporal-errors.ts';

/** gRPC's numbers (grpc/grpc, doc/statuscodes.md). */
const GRPC_CANCELLED = 1;
const GRPC_UNKNOWN = 2;
const GRPC_INVALID_ARGUMENT = 3;
const GRPC_DEADLINE_EXCEEDED = 4;
const GRPC_PERMISSION_DENIED = 7;
const GRPC_RESOURCE_EXHAUSTED = 8;
const GRPC_ABORTED = 10;
const GRPC_OUT_OF_RANGE = 11;
const GRPC_INTERNAL = 13;
const GRPC_UNAVAILABLE = 14;
const GRPC_UNAUTHENTICATED = 16;

/** Statuses of a server that does not respond for now. */
const AWAY: readonly number[] = [GRPC_CANCELLED, GRPC_DEADLINE_EXCEEDED, GRPC_RESOURCE_EXHAUSTED, GRPC_UNAVAILABLE];

/** Statuses of a server that responded with an error, and can succeed later without a change. */
const TRANSIENT: readonly number[] = [GRPC_UNKNOWN, GRPC_ABORTED, GRPC_INTERNAL];

/** Whether the server is away for now (a restart, a broken network), so that the same question may be asked again. */
export function isTemporalAway(error: unknown): boolean {
  const fault = grpcFault(error);
  return fault !== undefined && AWAY.includes(fault.code) && !isTooLarge(fault);
}

/** A limit in bytes is not a limit of a rate: the same request fails again. */
function isTooLarge({ code, details }: { readonly code: number; readonly details: string }): boolean {
  return code === GRPC_RESOURCE_EXHAUSTED && /larger than max|exceeds? .*size limit/i.test(details);
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

/** The LonghaulError of a gRPC status. */
export function grpcError(fault: { readonly code: number; readonly details: string }, cause: unknown): LonghaulError {
  const { code, details } = fault;
  const namespace = missingNamespace(details);
  if (namespace !== undefined) return noNamespace(namespace, cause);
  if (isTooLarge(fault)) {
    const problem = `the message is too large for Temporal: ${details}`;
    return new ConfigError(sentences({ problem, fix: 'Shorten the lists and texts of the request' }), { cause });
  }
  const message = sentences(grpcCause(fault));
  if (AWAY.includes(code)) return new TemporalUnreachableError(message, { cause });
  if (code === GRPC_INVALID_ARGUMENT || code === GRPC_OUT_OF_RANGE) return new ConfigError(message, { cause });
  if (code === GRPC_PERMISSION_DENIED || code === GRPC_UNAUTHENTICATED) {
    return new TemporalDeniedError(message, { cause });
  }
  const retryable = TRANSIENT.includes(code);
  return new TemporalFailedError(message, grpcStatus(code), { cause, retryable });
}

function noNamespace(namespace: string, cause: unknown): NamespaceNotFoundError {
  return new NamespaceNotFoundError(sentences(namespaceMissing(namespace)), { cause });
}
