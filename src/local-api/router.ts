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

export type RouteMatch =
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
