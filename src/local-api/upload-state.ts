import { ApiProblem, badRequest, notFound } from './errors.ts';
import type { LiveUpload } from './upload-record.ts';
import type { UploadStore } from './upload-store.ts';

/**
 * The Upload, which must be open. A completed or cancelled one is a wrong request (400), as "no Parts may be added after
 * an Upload is completed". An expired one is taken for one that no longer exists (404): the documentation doesn't say,
 * and servers answer both. While a completion checks the content, others are asked to come back (409).
 */
export function requirePending(store: UploadStore, uploadId: string): LiveUpload {
  const upload = store.get(uploadId);
  if (upload === undefined) throw notFound(`No such Upload: '${uploadId}'.`, 'upload_not_found');
  const { status } = upload.record;
  if (status === 'expired') throw notFound(`Upload '${uploadId}' has expired.`, 'upload_expired');
  if (status !== 'pending') throw badRequest(`Upload '${uploadId}' is ${status}.`, undefined, `upload_${status}`);
  if (upload.busy) {
    throw new ApiProblem(409, `Upload '${uploadId}' is busy with another request; try again.`, { code: 'upload_busy' });
  }
  return upload;
}
