import type { UploadedFile, UploadSession } from '../contracts/upload.ts';
import { StrangeAnswerError } from '../errors.ts';
import type { CallOptions } from './http/call-limits.ts';
import type { Http } from './http/http.ts';
import type { Completion, NewFile } from './port.ts';
import type { ResolvedProfile } from './profile.ts';
import { cancelAnswer, completeAnswer, createdAnswer, sessionAnswer } from './responses.ts';

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
/** For a session that cannot be used. */
const CANCEL_TIMEOUT_MS = 10_000;

export async function createUpload(
  http: Http,
  fields: NewFile,
  sessionSeconds: number,
  options: CallOptions,
): Promise<UploadSession> {
  const { filename, purpose, bytes, mimeType, fileExpiresAfterSeconds: seconds } = fields;
  const action = 'creating an upload';
  const body = JSON.stringify({
    filename,
    purpose,
    bytes,
    mime_type: mimeType,
    // The life of the resulting File; the Upload's own can't be chosen.
    expires_after: seconds === undefined ? undefined : { anchor: 'created_at', seconds },
  });
  const call = { ...options, action, method: 'POST', path: '/uploads', contentType: JSON_TYPE, body } as const;
  const answer = await http.json(call, createdAnswer);
  const session = sessionAnswer(sessionSeconds).safeParse(answer);
  if (session.success) return session.data;
  const isSessionCancelled = await cancelUpload(http, answer.id, { timeoutMs: CANCEL_TIMEOUT_MS }).then(
    () => true,
    () => false,
  );
  const problems = session.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  const message = `${http.host} returned times that cannot be used (${problems}) while ${action}`;
  throw new StrangeAnswerError(message, { isSessionCancelled });
}

export async function completeUpload(
  http: Http,
  { completeEncoding, completeTimeoutMs }: Pick<ResolvedProfile, 'completeEncoding' | 'completeTimeoutMs'>,
  uploadId: string,
  fields: Completion,
  { signal, timeoutMs = completeTimeoutMs }: CallOptions,
): Promise<UploadedFile> {
  const isJson = completeEncoding === 'json';
  const { id, expiresAt, status, ...file } = await http.json(
    {
      signal,
      timeoutMs,
      action: `completing ${uploadId}`,
      method: 'POST',
      path: `${pathOfUpload(uploadId)}/complete`,
      contentType: isJson ? JSON_TYPE : FORM_TYPE,
      body: isJson ? jsonOf(fields) : formOf(fields),
    },
    completeAnswer(uploadId),
  );
  return {
    id,
    // Some services state the size later.
    bytes: file.bytes || fields.file.bytes,
    createdAt: file.createdAt ?? fields.file.createdAt,
    expiresAt,
    filename: file.filename ?? fields.file.filename,
    purpose: file.purpose ?? fields.file.purpose,
    status,
  };
}

function jsonOf({ partIds, md5 }: Completion): string {
  return JSON.stringify({ part_ids: partIds, md5 });
}

function formOf({ partIds, md5 }: Completion): string {
  const form = new URLSearchParams(partIds.map((partId): [string, string] => ['part_ids', partId]));
  if (md5 !== undefined) form.set('md5', md5);
  return form.toString();
}

export async function cancelUpload(
  http: Http,
  uploadId: string,
  options: CallOptions,
): Promise<{ readonly status: string | undefined }> {
  const path = `${pathOfUpload(uploadId)}/cancel`;
  const call = { ...options, action: `cancelling ${uploadId}`, method: 'POST', path, acceptsAnyBody: true } as const;
  const { status } = await http.json(call, cancelAnswer);
  return { status };
}

export function pathOfUpload(uploadId: string): string {
  return `/uploads/${encodeURIComponent(uploadId)}`;
}
