import type { ApiContext, Handler } from '../api-context.ts';
import { notFound } from '../errors.ts';
import { toFileObject, type FileRecord, type LiveUpload } from '../upload-record.ts';

export const retrieveFile: Handler = async (context, { id }) => ({
  status: 200,
  json: toFileObject(requireFile(context, id).file),
});

export function requireFile(context: ApiContext, fileId: string): { upload: LiveUpload; file: FileRecord } {
  const found = context.store.getFile(fileId);
  if (found === undefined) throw notFound(`No such File: '${fileId}'.`, 'file_not_found');
  return found;
}
