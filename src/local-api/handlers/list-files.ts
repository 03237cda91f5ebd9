import type { Handler } from '../api-context.ts';
import { badRequest } from '../errors.ts';
import { toFileObject } from '../upload-record.ts';
import { pageOf } from './page.ts';

const MAX_LIMIT = 10_000;

export const listFiles: Handler = async (context, { query }) => {
  const order = query.get('order') ?? 'desc';
  if (order !== 'asc' && order !== 'desc')
    throw badRequest("Invalid 'order': must be asc or desc.", 'order', 'invalid_value');

  const purpose = query.get('purpose');
  const files = context.listLag.list(context.store.files(), Date.now());
  if (order === 'desc') files.reverse();
  const json = pageOf(files, {
    query,
    limits: { maximum: MAX_LIMIT, default: MAX_LIMIT },
    kind: 'File',
    toObject: toFileObject,
    filter: (file) => purpose === null || file.purpose === purpose,
  });
  return { status: 200, json };
};
