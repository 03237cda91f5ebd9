import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';
import { withoutBrackets } from '../network/url.ts';
import { ApiProblem } from './errors.ts';
import type { ServerRules } from './options.ts';

/** The API has no `GET /uploads/{id}` and no list of parts. Only the client has a record of them. */
const table = [
  { method: 'POST', pattern: /^\/uploads$/, route: 'create' },
  { method: 'POST', pattern: /^\/uploads\/([^/]+)\/parts$/, route: 'part' },
  { method: 'POST', pattern: /^\/uploads\/([^/]+)\/complete$/, route: 'complete' },
  { method: 'POST', pattern: /^\/uploads\/([^/]+)\/cancel$/, route: 'cancel' },
  { method: 'GET', pattern: /^\/files$/, route: 'list' },
  { method: 'GET', pattern: /^\/files\/([^/]+)$/, route: 'retrieve' },
  { method: 'GET', pattern: /^\/files\/([^/]+)\/content$/, route: 'content' },
  { method: 'DELETE', pattern: /^\/files\/([^/]+)$/, route: 'delete' },
  { method: 'POST', pattern: /^\/batches$/, route: 'batch-create' },
  { method: 'GET', pattern: /^\/batches$/, route: 'batch-list' },
  { method: 'GET', pattern: /^\/batches\/([^/]+)$/, route: 'batch-retrieve' },
] as const;

export type ApiRoute = (typeof table)[number]['route'];

/** Names of the routes in faults and statistics. */
export const apiRoutes: readonly ApiRoute[] = table.map(({ route }) => route);

type RouteMatch =
  | { readonly kind: 'found'; readonly route: ApiRoute; readonly id: string }
  | { readonly kind: 'wrong-method'; readonly allow: string }
  | { readonly kind: 'unknown' };

/** Finds the route of a path of the API. @param path such as `/uploads`; undefined: not of the API */
export function matchRoute(method: string, path: string | undefined): RouteMatch {
  if (path === undefined) return { kind: 'unknown' };
  const allowed: string[] = [];
  for (const entry of table) {
    const match = entry.pattern.exec(path);
    if (match === null) continue;
    if (entry.method === method) return { kind: 'found', route: entry.route, id: match[1] ?? '' };
    allowed.push(entry.method);
  }
  return allowed.length === 0 ? { kind: 'unknown' } : { kind: 'wrong-method', allow: allowed.join(', ') };
}

/**
 * Returns why the server does not accept a request at all, on the routes of the API and on those of `/_admin`; undefined
 * if it does.
 */
export function requestProblem(
  { headers, socket }: IncomingMessage,
  { hosts, apiKey, style }: Pick<ServerRules, 'hosts' | 'apiKey' | 'style'>,
): ApiProblem | undefined {
  const name = nameOfHost(headers.host ?? '');
  const isOwn = name === socket.localAddress?.replace(/^::ffff:/, '');
  // A web page can resolve its own name to this machine. Its requests then have that name as their host.
  if (isLoopback(name) || isOwn || hosts.some((host) => host.toLowerCase() === name)) {
    return style.keyProblem(headers, apiKey);
  }
  return new ApiProblem(
    421,
    "The host of this request is not the local API's. Use its address, or permit the name with --allow-host.",
    { code: 'host_not_allowed' },
  );
}

/** Without port and brackets. */
function nameOfHost(host: string): string {
  return withoutBrackets(host.toLowerCase().replace(/:\d*$/, ''));
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'));
}
