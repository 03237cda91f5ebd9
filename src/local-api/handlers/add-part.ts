import { rm } from 'node:fs/promises';
import type { ApiContext, Handler } from '../api-context.ts';
import { ApiProblem, badRequest } from '../errors.ts';
import { bodyChunks, mediaType } from '../read-body.ts';
import { receivePart } from '../receive-part.ts';
import { requirePending } from '../upload-state.ts';
import type { LiveUpload } from '../upload-record.ts';

/** What boundaries and headers of the one field may add to a body; no client needs nearly as much. */
const MULTIPART_OVERHEAD_BYTES = 64 * 1024;

export const addPart: Handler = async (context, { message, id }) => {
  const { store, stats, rules } = context;
  const upload = requirePending(store, id);
  if (mediaType(message) !== 'multipart/form-data') {
    throw new ApiProblem(415, "The header 'content-type' must be multipart/form-data.", {
      code: 'unsupported_media_type',
    });
  }
  // Said before the body is read: there is no need to send it.
  if (Number(message.headers['content-length']) > rules.maxPartBytes + MULTIPART_OVERHEAD_BYTES) {
    throw partTooLarge(context);
  }
  const roomBytes = rules.strictSums ? upload.record.bytes - upload.receivedBytes : upload.record.bytes;
  const path = store.newIncomingPath();
  const sizeBytes = await receivePart({
    contentType: message.headers['content-type'] ?? '',
    chunks: bodyChunks(message, context.bandwidth),
    path,
    limitBytes: Math.min(rules.maxPartBytes, roomBytes),
    overLimit: () => (roomBytes < rules.maxPartBytes ? tooManyBytes(upload) : partTooLarge(context)),
    onBytes: (count) => {
      stats.countBytes(id, count);
    },
  });
  try {
    // Much may have happened while the bytes arrived. "No Parts may be added after an Upload is completed."
    const current = requirePending(store, id);
    if (rules.strictSums && current.receivedBytes + sizeBytes > current.record.bytes) throw tooManyBytes(current);
    const part = store.addPart(current, path, sizeBytes);
    return { status: 200, json: { id: part.id, object: 'upload.part', created_at: part.createdAt, upload_id: id } };
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
};

/** "A Part can be at most 64 MB." */
function partTooLarge({ rules }: ApiContext): ApiProblem {
  return new ApiProblem(413, `A Part can be at most ${rules.maxPartBytes} bytes.`, {
    param: 'data',
    code: 'part_too_large',
  });
}

/** "The bytes uploaded must match `bytes` of the create call": with this part they never can. */
function tooManyBytes(upload: LiveUpload): ApiProblem {
  const { id, bytes } = upload.record;
  const message = `With this Part, Upload '${id}' would have more than its ${bytes} bytes (${upload.receivedBytes} are here).`;
  return badRequest(message, 'data', 'bytes_exceeded');
}
