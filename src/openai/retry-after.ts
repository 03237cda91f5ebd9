type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** 429 may carry `retry-after-ms`, or `retry-after` in seconds or as a date. Undefined when neither can be understood. */
export function parseRetryAfterMs(headers: Headers, nowMs: number = Date.now()): number | undefined {
  const fromMs = parseNumber(headers['retry-after-ms']);
  if (fromMs !== undefined) return Math.ceil(fromMs);
  const fromSeconds = parseNumber(headers['retry-after']);
  if (fromSeconds !== undefined) return Math.ceil(fromSeconds * 1000);
  const date = headers['retry-after'];
  // `Date.parse` takes much that is no HTTP date; a name of a day begins each of them.
  if (typeof date !== 'string' || !/^[a-z]{3}/i.test(date.trim())) return undefined;
  const atMs = Date.parse(date);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

function parseNumber(value: string | string[] | undefined): number | undefined {
  if (typeof value !== 'string' || !/^\s*\d+(\.\d+)?\s*$/.test(value)) return undefined;
  return Number(value);
}
