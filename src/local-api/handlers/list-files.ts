import type { Handler } from '../api-context.ts';
import { badRequest } from '../errors.ts';
import { toFileObject } from '../upload-record.ts';

const MAX_LIMIT = 10_000;

export const listFiles: Handler = async (context, { query }) => {
  const limit = readLimit(query.get('limit'));
  const order = query.get('order') ?? 'desc';
  if (order !== 'asc' && order !== 'desc')
    throw badRequest("Invalid 'order': must be asc or desc.", 'order', 'invalid_value');

  const purpose = query.get('purpose');
  const files = context.store.files();
  if (order === 'desc') files.reverse();
  const after = query.get('after');
  let start = 0;
  if (after !== null) {
    start = files.findIndex((file) => file.id === after) + 1;
    if (start === 0) throw badRequest(`Invalid 'after': no such File '${after}'.`, 'after', 'invalid_value');
  }
  const rest = files.slice(start).filter((file) => purpose === null || file.purpose === purpose);
  const page = rest.slice(0, limit);
  return {
    status: 200,
    json: {
      object: 'list',
      data: page.map(toFileObject),
      first_id: page[0]?.id ?? null,
      last_id: page.at(-1)?.id ?? null,
      has_more: rest.length > page.length,
    },
  };
};

function readLimit(text: string | null): number {
  if (text === null) return MAX_LIMIT;
  const limit = /^\d+$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT)
    throw badRequest(`Invalid 'limit': must be 1 to ${MAX_LIMIT}.`, 'limit', 'invalid_value');
  return limit;
}
