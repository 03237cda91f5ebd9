import type { z } from 'zod';

/** The body of each error response: `{"error": {message, type, param, code}}`. */
interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

export interface ProblemDetails {
  /** The invalid field of the request. @defaultValue null */
  readonly param?: string | undefined;
  /** Stable code for programs. @defaultValue null */
  readonly code?: string | undefined;
  /** Further response headers, such as `retry-after`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A rejection that the server sends to its client. It is never thrown outside this folder. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly details: ProblemDetails;

  constructor(status: number, message: string, details: ProblemDetails = {}) {
    super(message);
    this.name = 'ApiProblem';
    this.status = status;
    this.details = details;
  }
}

export function badRequest(message: string, param?: string, code?: string): ApiProblem {
  return new ApiProblem(400, message, { param, code });
}

export function notFound(message: string, code = 'not_found'): ApiProblem {
  return new ApiProblem(404, message, { code });
}

/** `error.type` by status, as the service names them. */
function errorType(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

export function errorBody(status: number, message: string, details: ProblemDetails = {}): ErrorBody {
  return {
    error: { message, type: errorType(status), param: details.param ?? null, code: details.code ?? null },
  };
}

/** Checks a body. The response contains the first problem. */
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
