import type { Handler } from '../api-context.ts';
import { toUploadObject } from '../upload-record.ts';

/** Cancelling what is already cancelled is a 400: the documentation doesn't say that it may be repeated. */
export const cancelUpload: Handler = async (context, { id }) => {
  const upload = context.store.pending(id);
  upload.busy = true;
  try {
    return { status: 200, json: toUploadObject(await context.store.end(upload, 'cancelled')) };
  } finally {
    upload.busy = false;
  }
};
