import { z } from 'zod';
import type { UploadedFile, UploadSession } from '../contracts/upload.ts';

/** Ids are not looked into: other vendors use other prefixes. Properties that are not named here are tolerated. */
const id = z.string().min(1);
const unixSeconds = z.number();

export const fileAnswer = z
  .object({
    id,
    bytes: z.number(),
    created_at: unixSeconds,
    expires_at: unixSeconds.nullish(),
    filename: z.string(),
    purpose: z.string(),
    status: z.string().nullish(),
  })
  .transform((file): UploadedFile => ({
    id: file.id,
    bytes: file.bytes,
    createdAt: file.created_at,
    ...(file.expires_at == null ? {} : { expiresAt: file.expires_at }),
    filename: file.filename,
    purpose: file.purpose,
    ...(file.status == null ? {} : { status: file.status }),
  }));

export const uploadAnswer = z
  .object({ id, created_at: unixSeconds, expires_at: unixSeconds })
  .transform((upload): UploadSession => ({
    uploadId: upload.id,
    createdAt: upload.created_at,
    expiresAt: upload.expires_at,
  }));

export const partAnswer = z.object({ id }).transform((part) => ({ partId: part.id }));

/**
 * "Within the returned Upload object there is a nested File object"; one server answers with the bare File. An Upload
 * without a nested File looks much like a File, and must not be taken for one.
 */
export const completeAnswer = z.union([
  z.object({ file: fileAnswer }).transform((upload) => upload.file),
  z
    .looseObject({ object: z.string().optional(), file: z.undefined().optional() })
    .refine((answer) => answer.object !== 'upload', 'the completed Upload holds no File')
    .pipe(fileAnswer),
]);

export const cancelAnswer = z.object({ id });

export const deleteAnswer = z.object({ id, deleted: z.literal(true) });

export interface FilePage {
  readonly files: readonly UploadedFile[];
  readonly hasMore: boolean;
  /** `after` of the next page; undefined on the last one. */
  readonly nextAfter: string | undefined;
}

export const fileListAnswer = z
  .object({ data: z.array(fileAnswer), has_more: z.boolean().nullish(), last_id: z.string().nullish() })
  .transform((list): FilePage => {
    const nextAfter = list.has_more === true ? (list.last_id ?? list.data.at(-1)?.id) : undefined;
    return { files: list.data, hasMore: nextAfter !== undefined, nextAfter };
  });
