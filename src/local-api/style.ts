import type { IncomingHttpHeaders } from 'node:http';
import { ApiProblem, errorBody, notFound, type ProblemDetails } from './errors.ts';
import { openAiIds, type IdForms } from './upload-store.ts';
import { parseJson } from '../core/text/parse.ts';
import { isSameSecret } from '../network/http-server.ts';

/** The differences between services with the same Uploads API. */
export interface ServiceStyle {
  /** Path of the base URL of clients, before the routes. */
  readonly basePath: string;
  readonly requestIdHeader: string;
  readonly ids: IdForms;
  /** Whether the field `data` of a part must have a `Content-Type`. */
  readonly requiresPartType: boolean;
  /** Returns the path of a route, such as `/uploads`; undefined for a path that is not of the API. @throws ApiProblem */
  routeOf(pathname: string, query: URLSearchParams): string | undefined;
  /** Returns why the key of a request is rejected. @param accepted undefined: any key that is not empty */
  keyProblem(headers: IncomingHttpHeaders, accepted: string | undefined): ApiProblem | undefined;
  /** The body of a response that is not a success. */
  errorBody(status: number, message: string, details: ProblemDetails): unknown;
}

export const openAiStyle: ServiceStyle = {
  basePath: '/v1',
  requestIdHeader: 'x-request-id',
  ids: openAiIds,
  requiresPartType: false,
  routeOf: (pathname) => (pathname.startsWith('/v1/') ? pathname.slice('/v1'.length) : undefined),
  keyProblem({ authorization = '' }, accepted) {
    const key = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (key === undefined) {
      return new ApiProblem(401, "Give an API key in the header 'authorization: Bearer KEY'.", {
        code: 'missing_api_key',
      });
    }
    if (accepted === undefined || isSameSecret(key, accepted)) return undefined;
    return new ApiProblem(401, 'Incorrect API key provided.', { code: 'invalid_api_key' });
  },
  errorBody,
};

/** A date, with `-preview` for a preview version. */
const DATED_VERSION = /^\d{4}-\d{2}-\d{2}(-preview)?$/;

/**
 * Azure OpenAI: `/openai/uploads?api-version=DATE` and `/openai/v1/uploads`, a key in `api-key` or an Entra token in
 * `authorization`, and errors with other properties. Routes of the project endpoint (`/api/projects/…`) do not exist.
 */
export const azureStyle: ServiceStyle = {
  basePath: '/openai/v1',
  requestIdHeader: 'apim-request-id',
  ids: { upload: (purpose) => `${purpose.replace(/[^\w-]/g, '-')}-`, part: 'uplprt-' },
  requiresPartType: true,
  routeOf(pathname, query) {
    const version = query.get('api-version');
    if (pathname.startsWith('/openai/v1/')) {
      if (version === null || ['v1', 'preview', 'latest'].includes(version)) return pathname.slice('/openai/v1'.length);
      throw new ApiProblem(400, 'API version not supported', { code: 'BadRequest' });
    }
    if (!pathname.startsWith('/openai/')) return undefined;
    if (version === null || !DATED_VERSION.test(version)) throw notFound('Resource not found');
    return pathname.slice('/openai'.length);
  },
  keyProblem({ 'api-key': key, authorization }, accepted) {
    if (authorization !== undefined) return isLiveToken(authorization) ? undefined : rejectedToken();
    const isAccepted =
      typeof key === 'string' && key !== '' && (accepted === undefined || isSameSecret(key, accepted)) && !isToken(key);
    return isAccepted ? undefined : rejectedKey();
  },
  errorBody(status, message, { code, param }) {
    if (status === 401) return { statusCode: 401, message };
    const isNamed = code !== undefined && code !== 'not_found';
    return { error: { code: isNamed ? code : String(status), message, param } };
  },
};

function rejectedKey(): ApiProblem {
  return new ApiProblem(
    401,
    'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active ' +
      'subscription and use a correct regional API endpoint for your resource.',
  );
}

function rejectedToken(): ApiProblem {
  return new ApiProblem(
    401,
    'Unauthorized. Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), or have expired.',
  );
}

/** A JSON Web Token that has not expired. Its signature is not checked. */
function isLiveToken(authorization: string): boolean {
  const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? '';
  if (!isToken(token)) return false;
  const claims = parseJson(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  const { exp } = (claims ?? {}) as { readonly exp?: unknown };
  return typeof exp === 'number' && exp * 1000 > Date.now();
}

function isToken(text: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text);
}
