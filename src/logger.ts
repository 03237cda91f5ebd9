import type { Logger as TemporalLogger, LogLevel as TemporalLogLevel, LogMetadata } from '@temporalio/worker';
import { pino, type Logger } from 'pino';
import type { LogLevel } from './config/environment.ts';
import { FailureType, type FailureDetails } from './contracts/failures.ts';
import { escapeJson } from './core/text/printable.ts';
import { redact } from './redact.ts';
import { describeLogRecord, type LogRecord } from './core/show/log-line.ts';
import { waitingReason } from './core/upload/reasons.ts';

export type { Logger } from 'pino';

/**
 * JSON lines on standard error: standard output belongs to results. A person at a terminal gets lines to read.
 */
export function createLogger(level: LogLevel, stderr: NodeJS.WriteStream): Logger {
  const toLine = stderr.isTTY ? readable : escaped;
  return pino({ level, base: null }, { write: (record: string) => stderr.write(`${toLine(record)}\n`) });
}

function readable(record: string): string {
  return redact(describeLogRecord(JSON.parse(record) as LogRecord));
}

/** The line end is the only control character that is not inside a string. */
function escaped(record: string): string {
  return escapeJson(redact(record.trimEnd()));
}

/** Temporal's SDK, and with it every activity and workflow, logs through ours. */
export function asTemporalLogger(logger: Logger): TemporalLogger {
  const log = (level: TemporalLogLevel, message: string, meta?: LogMetadata) => {
    const isOrdinary = (level === 'WARN' || level === 'INFO') && isOrdinaryRecord(message, meta);
    logger[isOrdinary ? 'debug' : (level.toLowerCase() as Lowercase<TemporalLogLevel>)](plain(meta), message);
  };
  return {
    log,
    trace: (message, meta) => log('TRACE', message, meta),
    debug: (message, meta) => log('DEBUG', message, meta),
    info: (message, meta) => log('INFO', message, meta),
    warn: (message, meta) => log('WARN', message, meta),
    error: (message, meta) => log('ERROR', message, meta),
  };
}

/** Records of Temporal's SDK that report nothing: the worker and its settings are right. */
const ordinaryRecords: readonly string[] = [
  'No Nexus services registered, not polling for Nexus tasks',
  // A worker with the role `transfer`.
  'No workflows registered, not polling for workflow tasks',
  // Of an upload that was cancelled or terminated while its parts were being sent.
  'Activity not found on completion.',
  // The line of the upload that failed contains its reason.
  'Workflow failed',
];

function isOrdinaryRecord(message: string, meta: LogMetadata | undefined): boolean {
  return ordinaryRecords.some((text) => message.startsWith(text)) || isFinalAttempt(message, meta);
}

/** An attempt after which the upload fails: its own line contains the reason. A forbidden source stays a warning. */
function isFinalAttempt(message: string, { error, activityType }: LogMetadata = {}): boolean {
  if (message !== 'Activity failed') return false;
  const {
    type: failureType = '',
    nonRetryable,
    message: reason = '',
    details,
  } = (error ?? {}) as Partial<FinalFailure>;
  if (!nonRetryable || failureType === FailureType.SourceForbidden) return false;
  if (failureType === FailureType.SourceMissing && activityType === 'inspectSource') return true;
  const { status, retryAtMs } = (details?.[0] ?? {}) as FailureDetails;
  return waitingReason({ failureType, status, message: reason, retryAtMs }) === undefined;
}

interface FinalFailure {
  readonly type: string;
  readonly nonRetryable: boolean;
  readonly message: string;
  readonly details: readonly unknown[];
}

/** JSON has no bigints, which the core uses for timestamps. A log does not need the task token. */
function plain(meta: LogMetadata = {}): Record<string, unknown> {
  const { error, taskToken: _taskToken, ...rest } = meta as Record<string, unknown>;
  const entries = Object.entries(rest).map(([key, value]) => [key, typeof value === 'bigint' ? String(value) : value]);
  return { ...Object.fromEntries(entries), ...(error === undefined ? {} : { ...factsOf(error), err: error }) };
}

/** Searchable properties of a failed call, such as the failure type and the request ID of the service. */
function factsOf(error: unknown): Record<string, unknown> {
  const { type, details } = error as { readonly type?: unknown; readonly details?: readonly unknown[] };
  const { requestId, status } = (details?.[0] ?? {}) as FailureDetails;
  return {
    failureType: typeof type === 'string' ? type : undefined,
    status,
    requestId,
  };
}
