import { badRequest } from '../errors.ts';

interface PageOptions<Item> {
  readonly query: URLSearchParams;
  readonly limits: { readonly maximum: number; readonly default: number };
  /** Name of the objects in messages. */
  readonly kind: string;
  readonly toObject: (item: Item) => Record<string, unknown>;
  /** Items that the page can have; the others are only valid as `after`. @defaultValue all */
  readonly filter?: (item: Item) => boolean;
}

/**
 * The page of a list after the item `after`, of at most `limit` items.
 * @throws ApiProblem if `after` or `limit` is invalid
 */
export function pageOf<Item extends { readonly id: string }>(items: readonly Item[], options: PageOptions<Item>) {
  const { query, limits, kind, toObject, filter = () => true } = options;
  const limit = readLimit(query.get('limit'), limits);
  const after = query.get('after');
  let start = 0;
  if (after !== null) {
    start = items.findIndex(({ id }) => id === after) + 1;
    if (start === 0) throw badRequest(`Invalid 'after': no such ${kind} '${after}'.`, 'after', 'invalid_value');
  }
  const rest = items.slice(start).filter(filter);
  const page = rest.slice(0, limit);
  return {
    object: 'list',
    data: page.map(toObject),
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
    has_more: rest.length > page.length,
  };
}

function readLimit(text: string | null, limits: PageOptions<unknown>['limits']): number {
  if (text === null) return limits.default;
  const limit = /^\d+$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > limits.maximum)
    throw badRequest(`Invalid 'limit': must be 1 to ${limits.maximum}.`, 'limit', 'invalid_value');
  return limit;
}
