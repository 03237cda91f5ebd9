import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { ApiContext, Handler } from '../api-context.ts';
import { badRequest } from '../errors.ts';
import { mediaType, readJson, readText } from '../read-body.ts';
import { toUploadObject, type LiveUpload } from '../upload-record.ts';
import { requirePending } from '../upload-state.ts';
import { validate } from '../validation.ts';

const completeSchema = z.strictObject({
  part_ids: z.array(z.string()).min(1, 'at least one Part must be named'),
  md5: z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'must be 32 lower-case hexadecimal digits')
    .optional(),
});

export const completeUpload: Handler = async (context, { message, id }) => {
  const input = validate(completeSchema, await readCompletion(message));
  const upload = requirePending(context.store, id);
  checkParts(upload, input.part_ids);
  upload.busy = true;
  try {
    if (input.md5 !== undefined) {
      const md5 = await md5OfParts(context, upload, input.part_ids);
      // The Upload stays pending: the caller may name the parts in another order, or cancel.
      if (md5 !== input.md5) {
        throw badRequest(`The md5 of the named Parts is ${md5}, not ${input.md5}.`, 'md5', 'md5_mismatch');
      }
    }
    return { status: 200, json: toUploadObject(await context.store.complete(upload, input.part_ids)) };
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

function checkParts(upload: LiveUpload, partIds: readonly string[]): void {
  let sumBytes = 0;
  const seen = new Set<string>();
  for (const partId of partIds) {
    const part = upload.parts.get(partId);
    if (part === undefined) {
      throw badRequest(`Upload '${upload.record.id}' has no Part '${partId}'.`, 'part_ids', 'part_not_found');
    }
    if (seen.has(partId)) throw badRequest(`Part '${partId}' is named twice.`, 'part_ids', 'duplicate_part');
    seen.add(partId);
    sumBytes += part.sizeBytes;
  }
  // "The number of bytes uploaded upon completion must match the number of bytes initially specified."
  if (sumBytes !== upload.record.bytes) {
    const expected = `the Upload was created with ${upload.record.bytes}`;
    throw badRequest(`The named Parts have ${sumBytes} bytes, but ${expected}.`, 'part_ids', 'bytes_mismatch');
  }
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
