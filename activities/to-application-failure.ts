import { ApplicationFailure, ApplicationFailureCategory, CancelledFailure } from '@temporalio/common';
import { FailureType } from '../src/contracts/failures.ts';
import {
  AbortedError,
  ApiError,
  ConfigError,
  ConnectionError,
  LonghaulError,
  SourceChangedError,
  SourceReadError,
  SourceUnusableError,
  StrangeAnswerError,
  TimeoutError,
} from '../src/errors.ts';

/** What an activity knows of the attempt that failed; the workflow reads it in the failure's details. */
export interface AttemptFacts {
  readonly attempt: number;
}

/** Plain data in `details[0]` of each failure. */
export interface FailureDetails extends AttemptFacts {
  readonly status?: number;
  readonly requestId?: string;
  readonly apiCode?: string;
}

/** The one place where an error of ours becomes a failure that Temporal records. */
export function toApplicationFailure(error: unknown, facts: AttemptFacts): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  if (!(error instanceof LonghaulError)) return error instanceof Error ? error : new Error(String(error));
  const details: FailureDetails = { ...facts };
  if (!(error instanceof ApiError)) return failure(error, typeOf(error), details);

  const { status, requestId, apiCode, retryAfterMs } = error.details;
  return failure(
    error,
    typeOf(error),
    { ...details, status, ...(requestId ? { requestId } : {}), ...(apiCode ? { apiCode } : {}) },
    retryAfterMs,
  );
}

/**
 * Hands the work back: the server gives it to another worker at once. A plain error would wait for the retry policy's
 * first interval.
 */
export function workerStopping(): ApplicationFailure {
  return ApplicationFailure.create({
    message: 'this worker is shutting down; another one takes over',
    type: FailureType.WorkerStopping,
    nextRetryDelay: '10ms',
    category: ApplicationFailureCategory.BENIGN,
  });
}

function typeOf(error: LonghaulError): FailureType {
  if (error instanceof ApiError) {
    if (error.retryable) return FailureType.ApiUnavailable;
    return FailureType.ApiRejected;
  }
  if (error instanceof ConnectionError) return FailureType.ConnectionFailed;
  if (error instanceof TimeoutError || error instanceof AbortedError) return FailureType.TimedOut;
  if (error instanceof StrangeAnswerError) return FailureType.StrangeAnswer;
  if (error instanceof SourceChangedError) return FailureType.SourceChanged;
  if (error instanceof SourceUnusableError) return FailureType.SourceUnusable;
  if (error instanceof SourceReadError) return FailureType.SourceUnavailable;
  if (error instanceof ConfigError) return FailureType.ConfigInvalid;
  return FailureType.ConnectionFailed;
}

function failure(
  error: LonghaulError,
  type: FailureType,
  details: FailureDetails,
  nextRetryDelayMs?: number,
): ApplicationFailure {
  return ApplicationFailure.create({
    message: error.message,
    type,
    nonRetryable: !error.retryable,
    details: [details],
    ...(nextRetryDelayMs === undefined ? {} : { nextRetryDelay: nextRetryDelayMs }),
  });
}
