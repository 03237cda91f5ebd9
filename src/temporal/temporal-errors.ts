import { LonghaulError } from '../errors.ts';

/** The namespace does not exist on the Temporal server that responded. */
export class NamespaceNotFoundError extends LonghaulError {
  readonly code = 'NAMESPACE_NOT_FOUND';
  readonly retryable = false;
}

/** Temporal rejected the API key or the client certificate, or they do not permit the request. */
export class TemporalDeniedError extends LonghaulError {
  readonly code = 'TEMPORAL_DENIED';
  readonly retryable = false;
}

/** Temporal can't be reached, does not respond in time, or limits the rate of requests. */
export class TemporalUnreachableError extends LonghaulError {
  readonly code = 'TEMPORAL_UNREACHABLE';
  readonly retryable = true;
}

/** Temporal responded with an error that no other class describes. */
export class TemporalFailedError extends LonghaulError {
  readonly code = 'TEMPORAL_FAILED';
  readonly retryable: boolean;
  /** Name of the gRPC status, such as `INTERNAL`. */
  readonly grpcStatus: string;

  constructor(message: string, grpcStatus: string, options: { cause: unknown; retryable: boolean }) {
    super(message, options);
    this.grpcStatus = grpcStatus;
    this.retryable = options.retryable;
  }
}
