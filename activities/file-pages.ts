import { ApiError, StrangeAnswerError } from '../src/errors.ts';
import { TextIndex } from '../src/core/sync/text-index.ts';
import type { FilePage } from '../src/destinations/responses.ts';
import type { CallOptions } from '../src/destinations/http/call-limits.ts';
import type { Destination } from '../src/destinations/port.ts';

/** "limit: between 1 and 10,000" (the API's specification). */
const MAX_PAGE_SIZE = 10_000;
/** Maximum number of Files. A longer list is endless, because a project can contain at most 2.5 TB. */
const MAX_FILES = 2_000_000;
const MAX_PAGES = 20_000;

/** The place between two pages was lost: the File that marked it was deleted. */
export class LostPlaceError extends StrangeAnswerError {}

/**
 * Yields the pages of the files list, newest first if the service respects the order. Each readable row is yielded once.
 * A service can ignore `limit` and `after`, or omit `has_more`: a page that does not lead to a new place ends the list.
 *
 * @param limit rows per page, 1 to 10,000
 * @throws StrangeAnswerError if the service announces more rows and does not return them, or if the list does not end
 * @throws LostPlaceError if the service rejects the place between two pages
 */
export async function* filePages(
  client: Destination,
  { purpose, limit = MAX_PAGE_SIZE }: { readonly purpose: string; readonly limit?: number },
  options: CallOptions,
): AsyncGenerator<FilePage> {
  const seen = new TextIndex();
  let rows = 0;
  const places = new Set<string>();
  let after: string | undefined;
  for (;;) {
    const query = { purpose, order: 'desc', limit, after: after || undefined } as const;
    const page = await client.files.list(query, options).catch((error: unknown) => {
      const isLost = after !== undefined && error instanceof ApiError && [400, 404].includes(error.details.status);
      throw isLost ? new LostPlaceError(error.message, { cause: error }) : error;
    });
    const files = page.files.filter(({ id }) => {
      const isNew = seen.set(id, rows) === undefined;
      if (isNew) rows++;
      return isNew;
    });
    const { hasMore, nextAfter } = page;
    const leadsOn = nextAfter !== undefined && !places.has(nextAfter);
    // Rows that cannot be read have no identity. Those of a repeated page were already yielded.
    if (files.length > 0 || leadsOn || after === undefined) yield { ...page, files };
    if (hasMore === false) return;
    if (!leadsOn) {
      // An incomplete list is an error only if the service announced more rows.
      if (hasMore !== true) return;
      throw new StrangeAnswerError('the files list announces more Files, but does not return them');
    }
    if (rows > MAX_FILES || places.size > MAX_PAGES) throw new StrangeAnswerError('the files list does not end');
    places.add(nextAfter);
    after = nextAfter;
  }
}
