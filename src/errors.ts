import type { ContentProblems } from './contracts/content.ts';
import { clip, clipMessage, closed, MAX_MESSAGE_LENGTH } from './core/text/clip.ts';
import { redact } from './redact.ts';

/**
 * Base of everything that Longhaul throws on purpose. Match on `code`. No message contains a secret, and each is
 * one line of limited length.
 */
export abstract class LonghaulError extends Error {
  /** Stable name of the error, for `switch`. */
  abstract readonly code: string;
  /** Whether the same call can succeed later without a change by an operator. */
  abstract readonly retryable: boolean;

  constructor(message: string, options?: { cause?: unknown }) {
    super(onOneLine(clip(redact(message), 2 * MAX_MESSAGE_LENGTH)), options);
    this.name = new.target.name;
  }
}

/** Names and IDs can contain line breaks, and messages of other programs have several lines. */
function onOneLine(message: string): string {
  return message.replace(/\s*[\n\r\v\f\u0085\u2028\u2029]\s*/g, ' · ');
}

/** Environment, config file or arguments are invalid. The message contains the problem and its fix. */
export class ConfigError extends LonghaulError {
  readonly code = 'CONFIG_INVALID';
  readonly retryable = false;

  constructor(message: string, options?: { cause?: unknown }) {
    super(closed(message), options);
  }
}

/** 408, 409, 425, 429 and 5xx can be temporary. Other statuses are permanent. */
function isRetryableStatus(status: number): boolean {
  return status === 408 || status === 409 || status === 425 || status === 429 || status >= 500;
}

export interface ApiErrorDetails {
  readonly status: number;
  /** `error.message`, `error.type`, `error.param` and `error.code` of the body, if it has them. */
  readonly apiMessage?: string | undefined;
  readonly apiType?: string | undefined;
  readonly apiParam?: string | undefined;
  readonly apiCode?: string | undefined;
  /** From `x-request-id`, or `apim-request-id` of Azure. */
  readonly requestId?: string | undefined;
  /** From `retry-after-ms` or `retry-after`. */
  readonly retryAfterMs?: number | undefined;
  /** Time of the service in Unix milliseconds, from `date`. */
  readonly serviceTimeMs?: number | undefined;
}

/** The service returned a status other than 2xx. */
export class ApiError extends LonghaulError {
  readonly code = 'API_ERROR';
  readonly retryable: boolean;
  readonly details: ApiErrorDetails;

  constructor(message: string, details: ApiErrorDetails) {
    super(message);
    this.details = details;
    this.retryable = isRetryableStatus(details.status);
  }

  /**
   * Whether the service rejected the request before it did any work: no key, no permission, or too many requests. The
   * call can then be repeated without a second effect.
   */
  get isRejectedBeforeWork(): boolean {
    const { status, retryAfterMs } = this.details;
    return [401, 402, 403, 407, 429].includes(status) || (status === 503 && retryAfterMs !== undefined);
  }
}

/** No connection was possible, or it broke before the response was complete. */
export class ConnectionError extends LonghaulError {
  readonly code = 'CONNECTION_FAILED';
  readonly retryable = true;
}

/** No byte was transferred within the stall timeout, or the whole call exceeded its timeout. */
export class TimeoutError extends LonghaulError {
  readonly code = 'TIMED_OUT';
  readonly retryable = true;
}

/** A success status with a body that does not match the API. */
export class StrangeAnswerError extends LonghaulError {
  readonly code = 'STRANGE_ANSWER';
  readonly retryable = true;
  /** Whether the session that the response named was cancelled. */
  readonly isSessionCancelled: boolean;

  constructor(message: string, options: { cause?: unknown; isSessionCancelled?: boolean } = {}) {
    super(message, options);
    this.isSessionCancelled = options.isSessionCancelled ?? false;
  }
}

/** The caller's signal aborted the call. */
export class AbortedError extends LonghaulError {
  readonly code = 'ABORTED';
  readonly retryable = false;
}

/** Why a source cannot be uploaded. */
export interface SourceRefusal {
  readonly name: string;
  /** The rest of the message after the name: the reason, and what to do. */
  readonly reason: string;
}

function refusalText(verb: string, { name, reason }: SourceRefusal): string {
  return `cannot ${verb} ${name}: ${reason}`;
}

/** About a source, whose store may have written a part of the message: it is one line. */
export abstract class SourceError extends LonghaulError {
  readonly #refusal: SourceRefusal | undefined;

  constructor(message: string | SourceRefusal, options?: { cause?: unknown }) {
    super(clipMessage(closed(typeof message === 'string' ? message : refusalText('upload', message))), options);
    this.#refusal = typeof message === 'string' ? undefined : message;
  }

  /** The message for something else than an upload, as a verb. */
  messageFor(verb: string): string {
    return this.#refusal ? clipMessage(redact(closed(refusalText(verb, this.#refusal)))) : this.message;
  }
}

/** The source is missing or not readable. An operator can restore it or change its permissions. */
export class SourceMissingError extends SourceError {
  readonly code = 'SOURCE_MISSING';
  readonly retryable = false;
}

/** The source is not a regular file, empty or too large. */
export class SourceUnusableError extends SourceError {
  readonly code = 'SOURCE_UNUSABLE';
  readonly retryable = false;
}

/** The object is in an archive of its store and must be restored before it can be read. The message contains the command. */
export class SourceArchivedError extends SourceError {
  readonly code = 'SOURCE_ARCHIVED';
  readonly retryable = false;
}

/** The configuration does not permit this source for callers. No request was sent. */
export class SourceForbiddenError extends SourceError {
  readonly code = 'SOURCE_FORBIDDEN';
  readonly retryable = false;
}

/** The manifest of a sync is invalid, or cannot be read or written. An operator can fix it. The manifest is unchanged. */
export class ManifestError extends SourceError {
  readonly code = 'MANIFEST_UNUSABLE';
  readonly retryable = false;
}

/** No command of this worker named the source. Another worker can permit it. */
export class SourceNotNamedError extends LonghaulError {
  readonly code = 'SOURCE_NOT_NAMED';
  readonly retryable = true;
}

/** The store returns the source only as a whole, or without the metadata that reading in parts requires. */
export class SourceNotRangedError extends SourceError {
  readonly code = 'SOURCE_NOT_RANGED';
  readonly retryable = false;
}

/** A line of the source is longer than a File can be, so that the source can't be split at line ends. */
export class LineTooLongError extends SourceError {
  readonly code = 'LINE_TOO_LONG';
  readonly retryable = false;
}

/** Lines of the source are invalid for its purpose. The message and `content` have their numbers, never their content. */
export class ContentInvalidError extends SourceError {
  readonly code = 'CONTENT_INVALID';
  readonly retryable = false;
  readonly content: ContentProblems;

  constructor(message: string, content: ContentProblems) {
    super(message);
    this.content = content;
  }
}

/** The source's fingerprint differs from that at the start of the upload. */
export class SourceChangedError extends SourceError {
  readonly code = 'SOURCE_CHANGED';
  readonly retryable = false;
}

/** The source exists, but a read failed (an error of the disk, the network or the store). */
export class SourceReadError extends SourceError {
  readonly code = 'SOURCE_READ_FAILED';
  readonly retryable = true;
  /** The cause is not this source: the store limits the rate of requests, or this process has too many open files. */
  readonly isOverload: boolean;

  constructor(message: string, options: { cause?: unknown; isOverload?: boolean } = {}) {
    super(message, options);
    this.isOverload = options.isOverload ?? false;
  }
}
