import {
  defaultFailureConverter,
  defaultPayloadConverter,
  ensureApplicationFailure,
  TemporalFailure,
} from '@temporalio/common';
import type { Duration, Failure, Payload } from './run.ts';

/** What crosses the boundary of the sandbox, as workers convert it. */
export function payloadOf(value: unknown): Payload {
  return defaultPayloadConverter.toPayload(value);
}

export function valueOf(payload: Payload | null | undefined): unknown {
  return payload ? defaultPayloadConverter.fromPayload(payload) : undefined;
}

export function valuesOf(payloads: readonly Payload[] | null | undefined): unknown[] {
  return (payloads ?? []).map(valueOf);
}

export function failureOfError(error: unknown): Failure {
  // As workers do it.
  const failure = error instanceof TemporalFailure ? error : ensureApplicationFailure(error);
  return defaultFailureConverter.errorToFailure(failure, defaultPayloadConverter);
}

export function milliseconds(duration: Duration | null | undefined): number | undefined {
  if (!duration) return undefined;
  return Number(duration.seconds ?? 0) * 1000 + (duration.nanos ?? 0) / 1_000_000;
}

/** The type and the message of the innermost cause, for a trace. */
export function describeFailure(failure: Failure | null | undefined): string {
  let innermost = failure;
  while (innermost?.cause && !innermost.applicationFailureInfo) innermost = innermost.cause;
  const type = innermost?.applicationFailureInfo?.type;
  return `${type ? `${type}: ` : ''}${innermost?.message ?? 'unknown failure'}`;
}

/** Whether a failure is a cancellation, of an activity also. */
export function isCancellation(failure: Failure | null | undefined): boolean {
  if (!failure) return false;
  const isOwn = failure.canceledFailureInfo !== undefined && failure.canceledFailureInfo !== null;
  return isOwn || isCancellation(failure.cause);
}

function detailsOf(details: unknown): { readonly payloads: Payload[] } | null {
  return details === undefined ? null : { payloads: [payloadOf(details)] };
}

export const Failures = {
  cancelled: (): Failure => ({ message: 'cancelled', canceledFailureInfo: {} }),
  heartbeatTimeout: (details: unknown): Failure => ({
    message: 'activity Heartbeat timeout',
    timeoutFailureInfo: { timeoutType: 4, lastHeartbeatDetails: detailsOf(details) },
  }),
  startToCloseTimeout: (details: unknown): Failure => ({
    message: 'activity StartToClose timeout',
    timeoutFailureInfo: { timeoutType: 1, lastHeartbeatDetails: detailsOf(details) },
  }),
  scheduleToCloseTimeout: (): Failure => ({
    message: 'activity ScheduleToClose timeout',
    timeoutFailureInfo: { timeoutType: 3 },
  }),
} as const;

/** As in Temporal's enum of the same name. */
export const RetryState = {
  IN_PROGRESS: 1,
  NON_RETRYABLE_FAILURE: 2,
  TIMEOUT: 3,
  MAXIMUM_ATTEMPTS_REACHED: 4,
  CANCEL_REQUESTED: 7,
} as const;

/** Whether a client of the workflow can read its failure, with all causes and details. */
export function isReadable(failure: Failure): boolean {
  try {
    defaultFailureConverter.failureToError(failure, defaultPayloadConverter);
    return true;
  } catch {
    return false;
  }
}

const MAX_TEXT_BYTES = 8192;

/** Returns JSON in which payloads are their text, or the start of it. */
export function readableJson(value: object): string {
  return JSON.stringify(value, (_, content: unknown) => {
    const { data, metadata } = (content ?? {}) as Payload;
    return data instanceof Uint8Array && metadata
      ? `payload ${Buffer.from(data.subarray(0, MAX_TEXT_BYTES)).toString()}`
      : content;
  });
}
