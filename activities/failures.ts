import {
  ApplicationFailure,
  ApplicationFailureCategory,
  CancelledFailure,
  type ApplicationFailureOptions,
} from '@temporalio/common';
import { FailureType, type FailureDetails } from '../src/contracts/failures.ts';
import { clipMessage } from '../src/core/text/clip.ts';
import {
  ApiError,
  ConfigError,
  ContentInvalidError,
  LonghaulError,
  SourceChangedError,
  SourceUnusableError,
} from '../src/errors.ts';
import { redact } from '../src/redact.ts';

/** Properties of the failed attempt, which the workflow reads in the details of the failure. */
export type AttemptFacts = Pick<FailureDetails, 'notDone' | 'sentPart' | 'sourceScope' | 'unanswered'> & {
  readonly attempt: number;
};

/** Maximum pause within Temporal's retries. For a longer pause, the upload waits and shows the reason. */
const MAX_RETRY_DELAY_MS = 60_000;

/** Converts an error of Longhaul to a failure that Temporal records. */
export function toApplicationFailure(error: unknown, facts: AttemptFacts): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  if (!(error instanceof LonghaulError)) return sendable(withoutSecrets(error));
  const content = error instanceof ContentInvalidError ? error.content : undefined;
  const details: FailureDetails = content ? { ...facts, content } : { ...facts };
  if (!(error instanceof ApiError)) return failure(error, typeOf(error), details);

  const { status, requestId, apiCode, retryAfterMs = 0 } = error.details;
  const isLongPause = retryAfterMs > MAX_RETRY_DELAY_MS;
  const known = { ...details, status, ...(requestId ? { requestId } : {}), ...(apiCode ? { apiCode } : {}) };
  return isLongPause
    ? failure(error, typeOf(error), { ...known, retryAtMs: Date.now() + retryAfterMs, retryAfterMs }, { isFinal: true })
    : failure(error, typeOf(error), known, { nextRetryDelayMs: retryAfterMs });
}

/** Cleans a message. Half of a surrogate pair would crash this worker, and Temporal limits the length. */
function sendable(error: Error): Error {
  const message = clipMessage(error.message);
  if (message === error.message && error.cause === undefined) return error;
  return ApplicationFailure.create({ message, type: error.name });
}

/** Removes secrets from an error of a library or of the runtime, whose message and stack Temporal records. */
function withoutSecrets(thrown: unknown): Error {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { name, message, stack = '' } = error;
  const safe = { message: redact(message), stack: redact(stack) };
  if (safe.message === message && safe.stack === stack) return error;
  return Object.assign(new Error(safe.message), { name, stack: safe.stack });
}

/**
 * Releases the work, which the server dispatches to another worker immediately. A plain error would wait for the first
 * interval of the retry policy.
 */
export function workerStopping(): ApplicationFailure {
  return ApplicationFailure.create({
    message: 'this worker is shutting down. Another worker resumes the part.',
    type: FailureType.WorkerStopping,
    nextRetryDelay: '10ms',
    category: ApplicationFailureCategory.BENIGN,
  });
}

/** Codes of a 429 that lasts longer than seconds. With other codes, the rate of requests is too high. */
const USED_UP = ['insufficient_quota', 'billing_hard_limit_reached', 'billing_not_active'];

function isUsedUp(error: LonghaulError): boolean {
  return error instanceof ApiError && USED_UP.includes(error.details.apiCode ?? error.details.apiType ?? '');
}

/** Whether a failed call was never sent, or was rejected before the service did any work. */
export function isRejectedBeforeWork(error: unknown): boolean {
  return error instanceof ConfigError || (error instanceof ApiError && error.isRejectedBeforeWork);
}

const types: Readonly<Record<string, FailureType>> = {
  ABORTED: FailureType.TimedOut,
  CONFIG_INVALID: FailureType.ConfigInvalid,
  CONNECTION_FAILED: FailureType.ConnectionFailed,
  CONTENT_INVALID: FailureType.ContentInvalid,
  LINE_TOO_LONG: FailureType.LineTooLong,
  MANIFEST_UNUSABLE: FailureType.ManifestUnusable,
  SOURCE_ARCHIVED: FailureType.SourceArchived,
  SOURCE_CHANGED: FailureType.SourceChanged,
  SOURCE_FORBIDDEN: FailureType.SourceForbidden,
  SOURCE_MISSING: FailureType.SourceMissing,
  // The upload waits for a worker that permits the source, and keeps its parts.
  SOURCE_NOT_NAMED: FailureType.ConfigInvalid,
  SOURCE_NOT_RANGED: FailureType.SourceUnusable,
  SOURCE_READ_FAILED: FailureType.SourceUnavailable,
  SOURCE_UNUSABLE: FailureType.SourceUnusable,
  STRANGE_ANSWER: FailureType.StrangeAnswer,
  TIMED_OUT: FailureType.TimedOut,
};

export function typeOf(error: LonghaulError): FailureType {
  if (error instanceof ApiError) {
    return error.retryable && !isUsedUp(error) ? FailureType.ApiUnavailable : FailureType.ApiRejected;
  }
  return types[error.code] ?? FailureType.ConnectionFailed;
}

function failure(
  error: LonghaulError,
  type: FailureType,
  details: FailureDetails,
  { nextRetryDelayMs, isFinal = false }: { readonly nextRetryDelayMs?: number; readonly isFinal?: boolean } = {},
): ApplicationFailure {
  return ApplicationFailure.create({
    message: clipMessage(error.message),
    type,
    nonRetryable: isFinal || !error.retryable || isUsedUp(error),
    details: [details],
    // For Temporal, a delay of 0 means no retry, so use its backoff.
    nextRetryDelay: nextRetryDelayMs || undefined,
  });
}

/** Returns the failure with some other properties. */
export function failureWith(known: ApplicationFailure, changes: ApplicationFailureOptions): ApplicationFailure {
  const { message, type, nonRetryable, nextRetryDelay, category, details } = known;
  return ApplicationFailure.create({
    message,
    type: type ?? undefined,
    nonRetryable: nonRetryable ?? false,
    nextRetryDelay: nextRetryDelay ?? undefined,
    category: category ?? undefined,
    details: details ?? [],
    ...changes,
  });
}

/** A source that was valid at the start of the upload and is now empty or a directory has changed. */
export function changed(error: unknown): SourceChangedError | undefined {
  if (!(error instanceof SourceUnusableError)) return undefined;
  return new SourceChangedError(`the source changed: ${error.message}`, { cause: error });
}
