import type { z } from 'zod';
import { badRequest, type ApiProblem } from './errors.ts';

/** Checks a body; the first thing that is wrong becomes the answer. */
export function validate<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw toProblem(result.error, value);
}

function toProblem(error: z.ZodError, value: unknown): ApiProblem {
  const issue = error.issues[0];
  if (issue === undefined) return badRequest('The body is wrong.');
  const param = issue.path.length === 0 ? undefined : issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const name = [...issue.path, issue.keys[0]].join('.');
    return badRequest(`Unknown parameter: '${name}'.`, name, 'unknown_parameter');
  }
  if (param === undefined) return badRequest(`The body is wrong: ${issue.message}.`, undefined, 'invalid_body');
  if (isMissing(issue.path, value)) {
    return badRequest(`Missing required parameter: '${param}'.`, param, 'missing_required_parameter');
  }
  return badRequest(`Invalid '${param}': ${issue.message}.`, param, 'invalid_value');
}

function isMissing(path: readonly PropertyKey[], value: unknown): boolean {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null) return false;
    current = (current as Record<PropertyKey, unknown>)[key];
  }
  return current === undefined;
}
