import type { Handler } from '../api-context.ts';
import { requireFile } from './retrieve-file.ts';

export const deleteFile: Handler = async (context, { id }) => {
  requireFile(context, id);
  await context.store.deleteFile(id);
  return { status: 200, json: { id, object: 'file', deleted: true } };
};
