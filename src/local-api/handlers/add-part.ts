import { rm } from 'node:fs/promises';
import type { Handler } from '../api-context.ts';
import { ApiProblem } from '../errors.ts';
import { bodyChunks, mediaType } from '../read-body.ts';
import { receivePart, withPartType } from '../receive-part.ts';
import { partTooLarge, roomOf, tooManyBytes } from '../session-rules.ts';

/** What boundaries and headers of the one field may add to a body; no client needs nearly as much. */
const MULTIPART_OVERHEAD_BYTES = 64 * 1024;

export const addPart: Handler = async (context, { message, id }) => {
  const { store, stats, rules } = context;
  const upload = store.pending(id);
  if (mediaType(message) !== 'multipart/form-data') {
    throw new ApiProblem(415, "The header 'content-type' must be multipart/form-data.", {
      code: 'unsupported_media_type',
    });
  }
  // Returned before the body is read, so that the client does not have to send it.
  if (Number(message.headers['content-length']) > rules.maxPartBytes + MULTIPART_OVERHEAD_BYTES) {
    throw partTooLarge(rules.maxPartBytes);
  }
  const roomBytes = roomOf(upload, rules.strictSums);
  const path = store.newIncomingPath();
  const chunks = bodyChunks(message, context.bandwidth);
  const sizeBytes = await receivePart({
    contentType: message.headers['content-type'] ?? '',
    chunks: rules.style.requiresPartType ? withPartType(chunks) : chunks,
    path,
    limitBytes: Math.min(rules.maxPartBytes, roomBytes),
    overLimit: () => (roomBytes < rules.maxPartBytes ? tooManyBytes(upload) : partTooLarge(rules.maxPartBytes)),
    onBytes: (count) => {
      stats.countBytes(id, count);
    },
  });
  try {
    // Much may have happened while the bytes arrived. "No Parts may be added after an Upload is completed."
    const current = store.pending(id);
    if (sizeBytes > roomOf(current, rules.strictSums)) throw tooManyBytes(current);
    const part = store.addPart(current, path, sizeBytes);
    return { status: 200, json: { id: part.id, object: 'upload.part', created_at: part.createdAt, upload_id: id } };
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
};
