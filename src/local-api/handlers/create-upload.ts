import * as z from 'zod';
import type { Handler } from '../api-context.ts';
import type { ServerRules } from '../options.ts';
import { readJson } from '../read-body.ts';
import { toUploadObject } from '../upload-record.ts';
import { validate } from '../validation.ts';

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
    expires_after: z
      .strictObject({
        anchor: z.literal('created_at', "must be 'created_at'"),
        seconds: z.int().min(3600, 'must be 3600 to 2592000').max(2_592_000, 'must be 3600 to 2592000'),
      })
      .optional(),
  });
}

export const createUpload: Handler = async (context, { message }) => {
  const input = validate(createSchema(context.rules), await readJson(message));
  const record = await context.store.create({
    bytes: input.bytes,
    filename: input.filename,
    purpose: input.purpose,
    mimeType: input.mime_type,
    fileLifeSeconds: input.expires_after === undefined ? undefined : input.expires_after.seconds,
    sessionLifeSeconds: context.settings().sessionLifeSeconds,
  });
  return { status: 200, json: toUploadObject(record) };
};
