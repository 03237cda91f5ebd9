/** The body of every answer that is not a success: `{"error": {message, type, param, code}}`. */
export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

export interface ProblemDetails {
  /** The request's field that is wrong. @defaultValue null */
  readonly param?: string | undefined;
  /** Stable word for programs. @defaultValue null */
  readonly code?: string | undefined;
  /** Further answer headers, such as `retry-after`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A refusal that the server sends to its client; it never leaves this folder as an exception. */
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
