type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** One year. A longer delay is as good as this one, and stays a date that can be shown. */
const MAX_DELAY_MS = 366 * 24 * 3_600_000;

/**
 * Reads the delay of a 429 or 503: `retry-after-ms`, or `retry-after` in seconds or as a date. A date is compared with
 * the response's own `date`, so that a wrong clock on this side does not matter.
 *
 * @returns milliseconds from 0 to one year; undefined if no header can be understood
 */
export function parseRetryAfterMs(headers: Headers, nowMs: number = Date.now()): number | undefined {
  const delayMs =
    parseNumber(headers['retry-after-ms']) ?? seconds(parseNumber(headers['retry-after'])) ?? untilDate(headers, nowMs);
  return delayMs === undefined ? undefined : Math.min(Math.ceil(delayMs), MAX_DELAY_MS);
}

function parseNumber(value: string | string[] | undefined): number | undefined {
  if (typeof value !== 'string' || value.length > 400 || !/^\s*\d+(\.\d+)?\s*$/.test(value)) return undefined;
  const number = Number(value);
  // 400 digits are Infinity, which no timer and no protocol accepts.
  return Number.isFinite(number) ? number : undefined;
}

function seconds(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value * 1000;
}

function untilDate(headers: Headers, nowMs: number): number | undefined {
  const atMs = parseDate(headers['retry-after']);
  if (atMs === undefined) return undefined;
  return Math.max(0, atMs - (parseDate(headers['date']) ?? nowMs));
}

function parseDate(value: string | string[] | undefined): number | undefined {
  // `Date.parse` accepts much that is not an HTTP date. Each HTTP date starts with the name of a day.
  if (typeof value !== 'string' || value.length > 60 || !/^\s*[a-z]{3}/i.test(value)) return undefined;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? undefined : atMs;
}
