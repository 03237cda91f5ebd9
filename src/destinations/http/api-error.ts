import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { ApiError } from '../../errors.ts';
import type { Redact } from '../../redact.ts';
import { pageText } from './page-text.ts';
import { parseRetryAfterMs } from './retry-after.ts';

const EXCERPT_CHARACTERS = 200;
const MESSAGE_CHARACTERS = 1000;

/** `{"error": {"message", "type", "param", "code"}}`; anything in it may be missing, null or of another type. */
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

export interface ErrorResponse {
  readonly action: string;
  readonly host: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** The error for a status other than 2xx. Headers stay out of it, and secrets that the server repeats are taken out. */
export function apiErrorFromResponse(response: ErrorResponse, redact: Redact): ApiError {
  const { action, host, status, headers, text } = response;
  const body = parseErrorBody(text);
  const apiMessage = clean(body?.message ?? undefined, MESSAGE_CHARACTERS, redact);
  const requestId = clean(one(headers['x-request-id']), EXCERPT_CHARACTERS, redact);
  const said = isRedirect(status)
    ? describeRedirect(clean(one(headers['location']), EXCERPT_CHARACTERS, redact))
    : (apiMessage ?? clean(pageText(redact(text)), EXCERPT_CHARACTERS, redact));
  const name = STATUS_CODES[status];
  return new ApiError(
    `${host} answered ${status}${name ? ` ${name}` : ''}, while ${action}` +
      (said ? `: ${said}` : '') +
      (requestId ? ` (request ${requestId})` : ''),
    {
      status,
      apiMessage,
      apiType: clean(body?.type ?? undefined, EXCERPT_CHARACTERS, redact),
      apiParam: clean(body?.param ?? undefined, EXCERPT_CHARACTERS, redact),
      apiCode: clean(body?.code ?? undefined, EXCERPT_CHARACTERS, redact),
      requestId,
      retryAfterMs: parseRetryAfterMs(headers),
    },
  );
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

/** A followed redirect could carry the key to another host, and turns a POST into a GET. */
function describeRedirect(location: string | undefined): string {
  return `a redirect${location ? ` to ${location}` : ''}, which is not followed; set the base URL to where it leads`;
}

function parseErrorBody(text: string): z.infer<typeof errorBody>['error'] | undefined {
  try {
    return errorBody.safeParse(JSON.parse(text)).data?.error;
  } catch {
    return undefined;
  }
}

/** One line without control characters, secrets taken out before it is cut: half a key would slip through after. */
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
