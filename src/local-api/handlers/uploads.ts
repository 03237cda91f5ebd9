import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import * as z from 'zod';
import type { Handler, ApiContext } from '../api-context.ts';
import { ApiProblem, badRequest, validate } from '../errors.ts';
import type { ServerRules } from '../options.ts';
import { readJson, bodyChunks, mediaType, readText } from '../read-body.ts';
import { receivePart, withPartType } from '../receive-part.ts';
import { partTooLarge, roomOf, tooManyBytes, requireParts, wrongMd5 } from '../session-rules.ts';
import { toUploadObject, type LiveUpload } from '../upload-record.ts';

/** The property `expires_after` of requests whose result is a File. */
export const fileLife = z.strictObject({
  anchor: z.literal('created_at', "must be 'created_at'"),
  seconds: z.int().min(3600, 'must be 3600 to 2592000').max(2_592_000, 'must be 3600 to 2592000'),
});

/** "filename, purpose, bytes, mime_type required; expires_after optional; no other property." */
function createSchema(rules: ServerRules) {
  return z.strictObject({
    filename: z.string().min(1, 'must not be empty'),
    purpose: z.enum(rules.purposes, `must be one of ${rules.purposes.join(', ')}`),
    bytes: z
      .int('must be a whole number')
      .positive('must be more than 0')
      .max(rules.maxFileBytes, `an Upload accepts at most ${rules.maxFileBytes} bytes`),
    mime_type: z.string().min(1, 'must not be empty'),
    // The life of the resulting File, not of the Upload.
    expires_after: fileLife.optional(),
  });
}

export const createUpload: Handler = async (context, { message }) => {
  const input = validate(createSchema(context.rules), await readJson(message));
  const record = await context.store.create({
    bytes: input.bytes,
    filename: input.filename,
    purpose: input.purpose,
    mimeType: input.mime_type,
    fileLifeSeconds: input.expires_after?.seconds,
    sessionLifeSeconds: context.settings().sessionLifeSeconds,
  });
  return { status: 200, json: toUploadObject(record) };
};

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
    onBytes: (count) => stats.countBytes(id, count),
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

const completeSchema = z.strictObject({
  part_ids: z.array(z.string()).min(1, 'at least one Part must be named'),
  md5: z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'must be 32 lower-case hexadecimal digits')
    .optional(),
});

export const completeUpload: Handler = async (context, { message, id }) => {
  const input = validate(completeSchema, await readCompletion(message));
  const upload = context.store.pending(id);
  requireParts(upload, input.part_ids);
  upload.busy = true;
  try {
    if (input.md5 !== undefined) {
      const md5 = await md5OfParts(context, upload, input.part_ids);
      if (md5 !== input.md5) throw wrongMd5(md5, input.md5);
    }
    const completed = await context.store.complete(upload, input.part_ids);
    context.listLag.added(completed.file?.id ?? '', context.settings(), Date.now());
    return { status: 200, json: toUploadObject(completed) };
  } finally {
    upload.busy = false;
  }
};

/** JSON as in the specification, or a form as on the reference page. */
async function readCompletion(message: IncomingMessage): Promise<unknown> {
  if (mediaType(message) !== 'application/x-www-form-urlencoded') return readJson(message);
  const body: Record<string, unknown> = {};
  const partIds: string[] = [];
  for (const [name, value] of new URLSearchParams(await readText(message))) {
    if (name === 'part_ids' || name === 'part_ids[]') {
      if (value !== '') partIds.push(value);
    } else if (name !== 'md5' || value !== '') {
      // A form that leaves `md5=` empty, as the page's example does, gives none.
      if (name in body) throw badRequest(`'${name}' is given more than once.`, name, 'invalid_value');
      body[name] = value;
    }
  }
  return { ...body, part_ids: partIds };
}

async function md5OfParts(context: ApiContext, upload: LiveUpload, partIds: readonly string[]): Promise<string> {
  const hash = createHash('md5');
  for (const partId of partIds) {
    const path = context.store.partPath(upload.record.id, partId);
    const content = createReadStream(path, { highWaterMark: 1024 * 1024, signal: context.closing });
    for await (const chunk of content as AsyncIterable<Buffer>) hash.update(chunk);
  }
  return hash.digest('hex');
}

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
