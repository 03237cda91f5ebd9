import * as z from 'zod';
import { formatBytes } from '../core/text/format.ts';
import { hostNameProblem } from '../core/task-queue.ts';
import { parseBytesPerSecond } from '../core/text/parse.ts';
import { MIN_LIMIT_BYTES_PER_SECOND } from '../core/pace/rate.ts';
import { canonicalBaseUrl } from '../network/url.ts';
import { MIN_SEAL_KEY_CHARACTERS } from '../sources/http/sealed-query.ts';

export const text = z.string().trim().min(1, 'is empty');

/** A shell removes the quotation marks of a value. Other readers of lines such as `NAME="VALUE"` keep them. */
export function isQuoted(value: string): boolean {
  return /^(["']).*\1$/s.test(value.trim());
}

export const QUOTED = 'is enclosed in quotation marks. Remove them';

/** A path in a variable. */
export const path = text
  .refine((value) => !isQuoted(value), QUOTED)
  .refine((value) => !/^~(\/|$)/.test(value), 'starts with "~", which only a shell replaces. Use an absolute path');
/** An optional setting with its description in the docs. A default is at its end, after `; default:`. */
export const described = <Schema extends z.ZodType>(schema: Schema, description: string) =>
  schema.optional().describe(description);

/** One message for all problems: zod's checks without a message use that of the schema. */
export const wholeNumber = (least: number, most: number) =>
  z.coerce.number(`must be a whole number from ${least} to ${most}`).int().min(least).max(most);

function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

export const baseUrl = text
  .refine((value) => isHttpUrl(value), 'must be an http:// or https:// address such as https://api.openai.com/v1')
  .refine(
    (value) => !/^[a-z]+:\/\/[^/]*@/i.test(value),
    'must not contain a user name or password. Set the key in an environment variable',
  )
  .transform(canonicalBaseUrl);

export const limit = text.transform((value, context) => {
  const bytesPerSecond = parseBytesPerSecond(value);
  if (bytesPerSecond !== undefined && bytesPerSecond >= MIN_LIMIT_BYTES_PER_SECOND) return bytesPerSecond;
  const least = formatBytes(MIN_LIMIT_BYTES_PER_SECOND);
  context.addIssue({ code: 'custom', message: `must be a rate of at least ${least}/s, for example 50MiB/s` });
  return z.NEVER;
});

export const sealKey = text.min(
  MIN_SEAL_KEY_CHARACTERS,
  `must have at least ${MIN_SEAL_KEY_CHARACTERS} characters, for example the output of "openssl rand -hex 32"`,
);

/** It becomes part of the name of a task queue. */
export const hostName = text.superRefine((value, context) => {
  const message = hostNameProblem(value);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});
