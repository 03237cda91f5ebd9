import { STATUS_CODES } from 'node:http';
import * as z from 'zod';
import { ApiError } from '../../errors.ts';
import type { Redact } from '../../redact.ts';
import { parseJson } from '../../core/text/parse.ts';

const EXCERPT_CHARACTERS = 200;
const MESSAGE_CHARACTERS = 1000;

/** `{"error": {"message", "type", "param", "code"}}`. Each property can be missing, null or of another type. */
const optionalText = z
  .union([z.string(), z.number().transform(String)])
  .nullish()
  .catch(undefined);
const errorBody = z.object({
  error: z.union([
    z.string().transform((message) => ({ message, type: undefined, param: undefined, code: undefined })),
    z.object({ message: optionalText, type: optionalText, param: optionalText, code: optionalText }),
  ]),
});
/** `{"statusCode": 401, "message"}`: errors of Azure's gateway. */
const flatBody = z.object({ message: z.string(), type: optionalText, param: optionalText, code: optionalText });

/** Of OpenAI, and of Azure. */
const REQUEST_ID_HEADERS = ['x-request-id', 'apim-request-id', 'x-ms-request-id'] as const;

export interface ErrorResponse {
  readonly action: string;
  readonly host: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Explanation of a 404, with its fix. */
  readonly notFoundHint?: string | undefined;
}

/** The error for a status other than 2xx, without headers, and without secrets that the server repeats. */
export function apiErrorFromResponse(response: ErrorResponse, redact: Redact): ApiError {
  const { action, host, status, headers, text, notFoundHint } = response;
  const body = parseErrorBody(text);
  const apiMessage = clean(body?.message ?? undefined, MESSAGE_CHARACTERS, redact);
  const id = REQUEST_ID_HEADERS.map((header) => one(headers[header])).find((value) => value);
  const requestId = clean(id, EXCERPT_CHARACTERS, redact);
  const said = isRedirect(status)
    ? describeRedirect(clean(one(headers['location']), EXCERPT_CHARACTERS, redact))
    : (apiMessage ?? clean(pageText(redact(text)), EXCERPT_CHARACTERS, redact));
  const name = STATUS_CODES[status];
  const isContinued = requestId !== undefined || (status === 404 && notFoundHint !== undefined);
  return new ApiError(
    `${host} returned ${status}${name ? ` ${name}` : ''} while ${action}` +
      (said ? `: ${isContinued ? said.replace(/\.$/, '') : said}` : '') +
      (requestId ? ` (request ${requestId})` : '') +
      (status === 404 && notFoundHint ? `. ${notFoundHint}` : ''),
    {
      status,
      apiMessage,
      apiType: clean(body?.type ?? undefined, EXCERPT_CHARACTERS, redact),
      apiParam: clean(body?.param ?? undefined, EXCERPT_CHARACTERS, redact),
      apiCode: clean(body?.code ?? undefined, EXCERPT_CHARACTERS, redact),
      requestId,
      retryAfterMs: parseRetryAfterMs(headers),
      serviceTimeMs: parseDate(headers['date']),
    },
  );
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

/** A redirect could send the key to another host, and changes a POST into a GET. */
function describeRedirect(location: string | undefined): string {
  return `a redirect${location ? ` to ${location}` : ''}. Longhaul does not follow it. Set the base URL to its target`;
}

function parseErrorBody(text: string): z.infer<typeof errorBody>['error'] | undefined {
  const body = parseJson(text);
  return errorBody.safeParse(body).data?.error ?? flatBody.safeParse(body).data;
}

/** One line without control characters. Secrets are removed before it is cut, because half a key would remain after. */
function clean(text: string | undefined, maxCharacters: number, redact: Redact): string | undefined {
  if (text === undefined) return undefined;
  const line = redact(text)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  if (line === '') return undefined;
  return line.length > maxCharacters ? `${line.slice(0, maxCharacters)}…` : line;
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

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

/** A title or message is near the start of a page. */
const MAX_PAGE_CHARACTERS = 16 * 1024;

/** Elements whose content is not text for a reader. */
const HIDDEN = ['script', 'style', 'head'];

/**
 * Returns the text of an HTML page, or of any other text, from its start: one pass, each character is read a bounded
 * number of times, whatever a server sends.
 */
export function pageText(page: string): string {
  const text = page.slice(0, MAX_PAGE_CHARACTERS);
  const lower = text.toLowerCase();
  const pieces: string[] = [];
  /** Elements without an end are looked for only once. */
  const endless = new Set<string>();
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf('<', at);
    if (open === -1) break;
    pieces.push(text.slice(at, open), ' ');
    const close = text.indexOf('>', open);
    if (close === -1) return pieces.join('');
    at = close + 1;
    const hidden = HIDDEN.find(
      (name) => lower.startsWith(name, open + 1) && !/[a-z0-9]/.test(lower.charAt(open + 1 + name.length)),
    );
    if (hidden === undefined || endless.has(hidden)) continue;
    const end = lower.indexOf(`</${hidden}`, at);
    if (end === -1) endless.add(hidden);
    else {
      if (hidden === 'head') pieces.push(titleOf(text.slice(at, end), lower.slice(at, end)), ' ');
      at = end;
    }
  }
  pieces.push(text.slice(at));
  return pieces.join('');
}

function titleOf(head: string, lower: string): string {
  const open = lower.indexOf('<title');
  const start = open === -1 ? -1 : lower.indexOf('>', open);
  const end = start === -1 ? -1 : lower.indexOf('</title', start);
  return end === -1 ? '' : head.slice(start + 1, end);
}
