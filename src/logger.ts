import type { Logger as TemporalLogger, LogLevel as TemporalLogLevel, LogMetadata } from '@temporalio/worker';
import { pino, type Logger } from 'pino';
import type { LogLevel } from './config.ts';

export type { Logger } from 'pino';

/** JSON lines on standard error: standard output belongs to results. */
export function createLogger(level: LogLevel): Logger {
  return pino({ level, base: null }, pino.destination({ dest: 2, sync: true }));
}

/** Temporal's SDK, and with it every activity and workflow, logs through ours. */
export function asTemporalLogger(logger: Logger): TemporalLogger {
  const log = (level: TemporalLogLevel, message: string, meta?: LogMetadata) => {
    logger[level.toLowerCase() as Lowercase<TemporalLogLevel>](plain(meta), message);
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

/** The core's timestamps are bigints, which JSON can't hold. */
function plain(meta: LogMetadata = {}): Record<string, unknown> {
  const { error, ...rest } = meta as Record<string, unknown>;
  const entries = Object.entries(rest).map(([key, value]) => [key, typeof value === 'bigint' ? String(value) : value]);
  return { ...Object.fromEntries(entries), ...(error === undefined ? {} : { err: error }) };
}
