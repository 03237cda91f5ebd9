import { z } from 'zod';
import { formatBytes } from '../core/text/format.ts';
import { hostNameProblem } from '../core/task-queue.ts';
import { parseBytesPerSecond } from '../core/text/parse.ts';
import { MIN_LIMIT_BYTES_PER_SECOND } from '../core/pace/rate.ts';
import { MIN_SEAL_KEY_CHARACTERS } from '../sources/http/sealed-query.ts';

export const text = z.string().trim().min(1, 'is empty');
/** One message for whatever is wrong: zod's checks without one of their own take the schema's. */
export const wholeNumber = (least: number, most: number) =>
  z.coerce.number(`must be a whole number from ${least} to ${most}`).int().min(least).max(most);

function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

export const baseUrl = text
  .refine((value) => isHttpUrl(value), 'must be an http:// or https:// address such as https://api.openai.com/v1')
  .refine(
    (value) => !/^[a-z]+:\/\/[^/]*@/i.test(value),
    'must not hold a user name or password; keys go into an environment variable',
  )
  .transform((value) => value.replace(/\/+$/, ''));

export const limit = text.transform((value, context) => {
  const bytesPerSecond = parseBytesPerSecond(value);
  if (bytesPerSecond !== undefined && bytesPerSecond >= MIN_LIMIT_BYTES_PER_SECOND) return bytesPerSecond;
  const least = formatBytes(MIN_LIMIT_BYTES_PER_SECOND);
  context.addIssue({ code: 'custom', message: `must be bytes a second such as 50MiB/s, ${least}/s at least` });
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
