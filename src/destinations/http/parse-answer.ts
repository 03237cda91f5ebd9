import type { z } from 'zod';
import { issueText } from '../../contracts/requests/issue-text.ts';
import { parseJson } from '../../core/text/parse.ts';
import { StrangeAnswerError } from '../../errors.ts';
import type { BodyText } from './call-limits.ts';

/** Of a response with many invalid properties. */
const MAX_SHOWN_ISSUES = 3;

interface Answered {
  /** HOST:PORT */
  readonly host: string;
  readonly action: string;
  readonly status: number;
  readonly acceptsAnyBody?: boolean | undefined;
}

/** Parses the body of a response with a success status. @throws StrangeAnswerError if it is not that of the API */
export function parseAnswer<Schema extends z.ZodType>(
  { host, action, status, acceptsAnyBody = false }: Answered,
  { text, isCut }: BodyText,
  schema: Schema,
): z.output<Schema> {
  const strange = (problem: string) =>
    new StrangeAnswerError(`${host} returned ${status} with ${problem} while ${action}`);
  if (isCut && !acceptsAnyBody) throw strange('a body that is longer than any of the API');
  const value = parseJson(text);
  if (value === undefined && !acceptsAnyBody) {
    throw strange(text === '' ? 'an empty body' : 'a body that is not JSON');
  }
  const parsed = schema.safeParse(value, { error: issueText });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues
    .slice(0, MAX_SHOWN_ISSUES)
    .map(({ path, message }) => `${path.length > 0 ? path.join('.') : 'the body'} ${message}`);
  throw strange(`JSON that does not follow the API (${problems.join('; ')})`);
}
