import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';
import { ApiProblem } from './errors.ts';
import type { ServiceStyle } from './style.ts';

/** The routes of the API, by the names that faults and statistics use. */
export const apiRoutes = [
  'create',
  'part',
  'complete',
  'cancel',
  'list',
  'retrieve',
  'content',
  'delete',
  'batch-create',
  'batch-list',
  'batch-retrieve',
] as const;

export type ApiRoute = (typeof apiRoutes)[number];

type RouteMatch =
  | { readonly kind: 'found'; readonly route: ApiRoute; readonly id: string }
  | { readonly kind: 'wrong-method'; readonly allow: string }
  | { readonly kind: 'unknown' };

/** The API has no `GET /uploads/{id}` and no list of parts. Only the client has a record of them. */
const table: readonly { readonly method: string; readonly pattern: RegExp; readonly route: ApiRoute }[] = [
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
];

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

/** Decides which requests the server accepts at all, on the routes of the API and on those of `/_admin`. */
export class RequestGuard {
  readonly #hosts: ReadonlySet<string>;
  readonly #apiKey: string | undefined;
  readonly #style: ServiceStyle;

  /**
   * @param hosts names and addresses that `Host` can have, in addition to those of loopback
   * @param apiKey undefined: any key that is not empty
   */
  constructor(hosts: readonly string[], apiKey: string | undefined, style: ServiceStyle) {
    this.#hosts = new Set(hosts.map((host) => host.toLowerCase()));
    this.#apiKey = apiKey;
    this.#style = style;
  }

  /** Returns why the request is rejected; undefined if it is accepted. */
  problemOf({ headers, socket }: IncomingMessage): ApiProblem | undefined {
    return this.#hostProblem(headers.host ?? '', socket.localAddress) ?? this.#style.keyProblem(headers, this.#apiKey);
  }

  /** A web page can resolve its own name to this machine. Its requests then have that name as their host. */
  #hostProblem(host: string, localAddress: string | undefined): ApiProblem | undefined {
    const name = nameOfHost(host);
    if (isLoopback(name) || this.#hosts.has(name) || name === localAddress?.replace(/^::ffff:/, '')) return undefined;
    return new ApiProblem(
      421,
      "The host of this request is not the local API's. Use its address, or permit the name with --allow-host.",
      { code: 'host_not_allowed' },
    );
  }
}

/** Without port and brackets. */
function nameOfHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1');
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'));
}
