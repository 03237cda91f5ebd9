import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import * as z from 'zod';
import type { ApiContext, Handler } from '../api-context.ts';
import { badRequest } from '../errors.ts';
import { mediaType, readJson, readText } from '../read-body.ts';
import { toUploadObject, type LiveUpload } from '../upload-record.ts';
import { requireParts, wrongMd5 } from '../session-rules.ts';
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
