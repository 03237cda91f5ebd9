import { printable } from '../text/printable.ts';

export interface LogRecord {
  readonly level: number;
  /** Unix milliseconds. */
  readonly time: number;
  readonly msg?: string;
  readonly err?: { readonly message?: string };
  readonly [field: string]: unknown;
}

const levels: Readonly<Record<number, string>> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
};

/** What a person asks for first; a machine gets the rest as well. */
const shown = ['workflowId', 'uploadId', 'part', 'attempt', 'requestId', 'taskQueue', 'activityType', 'state'] as const;

/** A record as one line for a terminal, with the fields that identify its subject and without stack traces. */
export function describeLogRecord(record: LogRecord): string {
  const time = new Date(record.time).toISOString().slice(11, 19);
  const level = (levels[record.level] ?? String(record.level)).padEnd(5);
  const text = [record.msg, record.err?.message]
    .filter(Boolean)
    .join(': ')
    .replace(/\s*\n\s*/g, ' · ');
  const fields = shown.flatMap((name) => {
    const value = record[name];
    const isShown = typeof value === 'string' || typeof value === 'number';
    return isShown && !(name === 'state' && text.includes(String(value))) ? `${name}=${value}` : [];
  });
  return printable([time, level, text, ...fields].join(' '));
}
