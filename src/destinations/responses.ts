import * as z from 'zod';
import type { ListedFile, UploadedFile, UploadSession } from '../contracts/upload.ts';

/** Other vendors use other prefixes, and gateways put base64 into an ID. */
const MAX_ID_CHARACTERS = 512;
const MAX_NAME_CHARACTERS = 4096;
const MAX_WORD_CHARACTERS = 200;
/** The year 2100. Milliseconds, and what no calendar has, are above it. */
const MAX_UNIX_SECONDS = 4_102_444_800;
const MAX_CLOCK_DIFFERENCE_SECONDS = 300;

/** An ID becomes a segment of a URL, a search attribute and a line on a terminal. */
const id = z
  .string()
  .max(MAX_ID_CHARACTERS, `must have at most ${MAX_ID_CHARACTERS} characters`)
  .regex(/^[\w.~:@=+,;|$!*()/-]+$/, 'must contain only letters, digits and the characters ._~:@=+,;|$!*()/-')
  .refine((text) => !/(?:^|\/)\.{0,2}(?:\/|$)/.test(text), 'must not be a relative path');
const unixSeconds = z.number().min(0).max(MAX_UNIX_SECONDS);
const byteCount = z.int().min(0);
const name = z.string().max(MAX_NAME_CHARACTERS);
const word = z.string().max(MAX_WORD_CHARACTERS);

/** Undefined for whatever is missing or cannot be used. */
function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema.optional().catch(undefined);
}

/** A response to the create call whose ID can be used. The times are checked afterwards, so that it can be cancelled. */
export const createdAnswer = z.looseObject({ id });

const givenTimes = z.object({ created_at: unixSeconds.nullish(), expires_at: unixSeconds.nullish() });

const sessionTimes = (sessionSeconds: number) =>
  givenTimes
    .transform(({ created_at, expires_at }) => {
      const createdAt = created_at ?? (expires_at == null ? nowByAnyClock() : expires_at - sessionSeconds);
      return { createdAt, expiresAt: expires_at ?? createdAt + sessionSeconds };
    })
    .refine(({ createdAt, expiresAt }) => expiresAt > createdAt, {
      path: ['expires_at'],
      message: 'must be later than created_at',
    })
    .refine(({ createdAt }) => createdAt >= 0, { path: ['expires_at'], message: 'must be a time' });

/** @param sessionSeconds lifetime of a session whose response omits its times */
export const sessionAnswer = (sessionSeconds: number) =>
  createdAnswer.transform((answer, context): UploadSession => {
    const times = sessionTimes(sessionSeconds).safeParse(answer);
    if (times.success) return { uploadId: answer.id, ...times.data };
    for (const issue of times.error.issues)
      context.addIssue({ code: 'custom', path: issue.path, message: issue.message });
    return z.NEVER;
  });

export const partAnswer = z.object({ id }).transform((part) => ({ partId: part.id }));

/** A File of a completion. Only its ID is essential: the caller has the other facts, and `bytes` can be null. */
export type CompletedFile = Pick<UploadedFile, 'id'> & {
  readonly [Fact in keyof UploadedFile]?: UploadedFile[Fact] | undefined;
};

const completedFile = z
  .object({
    id,
    bytes: optional(byteCount),
    created_at: optional(unixSeconds),
    expires_at: optional(unixSeconds),
    filename: optional(name.min(1)),
    purpose: optional(word.min(1)),
    status: optional(word),
  })
  .transform((file): CompletedFile => ({
    id: file.id,
    bytes: file.bytes,
    createdAt: file.created_at,
    expiresAt: file.expires_at,
    filename: file.filename,
    purpose: file.purpose,
    status: file.status,
  }));

/** Made once: a schema of an object is compiled when it parses for the first time. */
const completedUpload = z.looseObject({ file: z.looseObject({}).nullish() });

/**
 * "Within the returned Upload object there is a nested File object"; one server returns the bare File. An Upload
 * without a nested File looks much like a File, and must not be mistaken for one.
 */
export const completeAnswer = (uploadId: string) =>
  completedUpload
    .transform((answer, context) => {
      if (answer.file) return answer.file;
      const isFile = answer['object'] === 'file' || typeof answer['filename'] === 'string';
      if (isFile && answer['object'] !== 'upload' && answer['id'] !== uploadId) return answer;
      context.addIssue({ code: 'custom', path: ['file'], message: 'must be the File of the completed Upload' });
      return z.NEVER;
    })
    .pipe(completedFile);

/** Any success is one; the status shows whether the Upload was completed before. */
export const cancelAnswer = z.object({ status: optional(word) }).catch({ status: undefined });

/** Whether the response has the documented properties of that File. */
export const deleteAnswer = (fileId: string) =>
  z
    .object({ id: z.literal(fileId), deleted: z.literal(true) })
    .transform(() => true)
    .catch(false);

/** A File that cannot be used without all of these facts. */
export const fileAnswer = z
  .object({
    id,
    bytes: byteCount.nullish(),
    created_at: unixSeconds,
    expires_at: optional(unixSeconds),
    filename: name,
    purpose: word,
    status: optional(word),
  })
  .transform((file): ListedFile => ({
    id: file.id,
    bytes: file.bytes ?? null,
    createdAt: file.created_at,
    expiresAt: file.expires_at,
    filename: file.filename,
    purpose: file.purpose,
    status: file.status,
  }));

/** A plain row, as most are, without the schema, which takes several times as long. Undefined: the schema decides. */
function plainFile(row: unknown): ListedFile | undefined {
  if (typeof row !== 'object' || row === null) return undefined;
  const file = row as Readonly<Partial<Record<string, unknown>>>;
  const { id: fileId, bytes, created_at: createdAt, expires_at: expiresAt, filename, purpose, status } = file;
  const isPlain =
    typeof fileId === 'string' &&
    PLAIN_ID.test(fileId) &&
    Number.isSafeInteger(bytes) &&
    (bytes as number) >= 0 &&
    isUnixSeconds(createdAt) &&
    (expiresAt === undefined || isUnixSeconds(expiresAt)) &&
    isTextWithin(filename, MAX_NAME_CHARACTERS) &&
    isTextWithin(purpose, MAX_WORD_CHARACTERS) &&
    (status === undefined || isTextWithin(status, MAX_WORD_CHARACTERS));
  if (!isPlain) return undefined;
  return { id: fileId, bytes: bytes as number, createdAt, expiresAt, filename, purpose, status };
}

/** Without the characters of paths. */
const PLAIN_ID = /^[\w-]{1,512}$/;

function isUnixSeconds(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MAX_UNIX_SECONDS;
}

function isTextWithin(value: unknown, maxCharacters: number): value is string {
  return typeof value === 'string' && value.length <= maxCharacters;
}

export interface FilePage {
  readonly files: readonly ListedFile[];
  /** Purposes of the rows that cannot be read; undefined for a row without a readable purpose. */
  readonly unreadable: readonly (string | undefined)[];
  /** Undefined if the service does not report it. */
  readonly hasMore: boolean | undefined;
  /** `after` of the next page; undefined if no row has a usable ID. */
  readonly nextAfter: string | undefined;
}

const anyPurpose = z.object({ purpose: word });

/** The files list contains rows of other tools. A row that cannot be read never costs the other rows. */
export const fileListAnswer = z
  .object({ data: z.array(z.unknown()), has_more: optional(z.boolean()), last_id: optional(id) })
  .transform(({ data, has_more: hasMore, last_id: lastId }): FilePage => {
    const files: ListedFile[] = [];
    const unreadable: (string | undefined)[] = [];
    for (const row of data) {
      const plain = plainFile(row);
      const file = plain ? { success: true as const, data: plain } : fileAnswer.safeParse(row);
      if (file.success) files.push(file.data);
      else unreadable.push(anyPurpose.safeParse(row).data?.purpose);
    }
    return { files, unreadable, hasMore, nextAfter: lastId ?? idOf(data.at(-1)) ?? files.at(-1)?.id };
  });

/** A little early: a File counts as older than its Upload otherwise, if the service's clock is slow. */
function nowByAnyClock(): number {
  return Math.floor(Date.now() / 1000) - MAX_CLOCK_DIFFERENCE_SECONDS;
}

function idOf(row: unknown): string | undefined {
  return z.object({ id }).safeParse(row).data?.id;
}
